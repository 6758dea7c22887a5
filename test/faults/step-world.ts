import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect, headers, type NatsConnection } from 'nats';
import { readLog } from '../../journal/read/reader.js';
import { verifyLog } from '../../replay/index.js';
import { HEADER } from '../../schemas/headers.js';
import type { StoredMessage } from '../../schemas/record.js';
import { FAIL_VARIABLE } from '../../system/processes/fail-point.js';
import type { StepPlan } from '../fixtures/modules/stepper/index.js';
import { manifest } from '../fixtures/modules/stepper/manifest.js';
import { startBroker, type TestBroker } from '../support/broker.js';
import { type ChargingServer, startChargingServer } from '../support/charging-server.js';
import { brokerStatus } from '../support/broker-status.js';
import { success } from '../support/either.js';
import { connectOperator } from '../support/log-checks.js';
import { processesOf } from './system-state.js';
import { writeModule } from '../support/module-dir.js';
import { tempDir } from '../support/temp-dir.js';
import { waitFor } from '../support/wait-for.js';

export interface StepWorld extends AsyncDisposable {
  readonly broker: TestBroker;
  readonly server: ChargingServer;
  readonly nc: NatsConnection;
  readonly operator: NatsConnection;
  readonly failDir: string;
  /** Where handler `i` reads what to do. */
  readonly write: (i: number, plan: Omit<StepPlan, 'url'>) => string;
  /** Kills the broker with its server and its modules, waits for what a test wants, and starts it on the same data. */
  readonly killAndStart: (between?: () => Promise<unknown>) => Promise<void>;
}

/** A broker with the module of plans. */
export const startStepWorld = async (failures: readonly string[] = []): Promise<StepWorld> => {
  const dir = tempDir();
  const server = await startChargingServer();
  const [plans, failDir, dataDir] = [join(dir.path, 'plans'), join(dir.path, 'fail'), join(dir.path, 'data')];
  for (const each of [plans, failDir]) mkdirSync(each);
  writeFileSync(join(failDir, 'stepper'), failures.join('\n'));
  const module = await writeModule(join(dir.path, 'stepper'), 'stepper', manifest);
  const start = async () => {
    const broker = await startBroker({
      dataDir,
      shipped: ['accounts'],
      args: ['--durability', 'os', '--cage', 'off', '--module', module],
      env: { [FAIL_VARIABLE]: failDir },
    });
    return { broker, nc: await connect({ servers: broker.url }), operator: await connectOperator(dataDir) };
  };
  let running = await start();
  const write = (i: number, plan: Omit<StepPlan, 'url'>): string => {
    const path = join(plans, `${i}.json`);
    writeFileSync(path, JSON.stringify({ url: server.url, ...plan }));
    return path;
  };
  const close = async (): Promise<void> => {
    await Promise.all([running.nc.close(), running.operator.close()]);
    await running.broker[Symbol.asyncDispose]();
  };
  return {
    ...{ server, failDir, write },
    get broker() {
      return running.broker;
    },
    get nc() {
      return running.nc;
    },
    get operator() {
      return running.operator;
    },
    killAndStart: async (between = () => Promise.resolve()) => {
      await running.broker.kill();
      await close();
      await waitFor(
        'everything that the broker started to be gone',
        () => processesOf(dataDir).length === 0,
        20_000,
      );
      await between();
      running = await start();
    },
    [Symbol.asyncDispose]: async () => {
      await close();
      await server[Symbol.asyncDispose]();
      await dir[Symbol.asyncDispose]();
    },
  };
};

/** Has the broker die or lose its connection at a point. It knows that when this resolves. */
export const arm = async ({ failDir, broker }: StepWorld, plan: string): Promise<void> => {
  const path = join(failDir, 'broker');
  writeFileSync(path, plan);
  process.kill(broker.pid, 'SIGUSR2');
  await waitFor('the broker to read its plan', () => readFileSync(path, 'utf8') === '');
};

/** Has the process of a module take a plan, in the life that it has or at the begin of the next. */
export const armModule = async (
  dataDir: string,
  failDir: string,
  name: string,
  plan: string,
): Promise<void> => {
  const path = join(failDir, name);
  writeFileSync(path, plan);
  await waitFor(`${name} to take its plan`, async () => {
    if (readFileSync(path, 'utf8') !== plan) return true;
    const { modules } = await brokerStatus(dataDir);
    const module = modules.find((each) => each.name === name);
    // One that starts does not take signals yet, which would end it, and reads its plan by itself.
    if (module?.state === 'loaded' && module.pid !== null) process.kill(module.pid, 'SIGUSR2');
    return false;
  });
};

export const logOf = async (nc: NatsConnection): Promise<readonly StoredMessage[]> => {
  const records: StoredMessage[] = [];
  for await (const message of readLog(nc)) records.push(message);
  return records;
};

export const json = <T>({ data }: StoredMessage): T => JSON.parse(Buffer.from(data).toString()) as T;

/** The steps of a command of the module, in order of the log. */
export const stepsOf = (records: readonly StoredMessage[], cause: number): readonly StoredMessage[] =>
  records.filter(
    (record) => record.subject.startsWith('step.stepper.') && record.header(HEADER.cause) === String(cause),
  );

/**
 * Sends a plan to agent `a<i>`; gives the sequence of the command. With a key: a request is lost when the broker dies or
 * loses its connection, and is sent again then.
 */
export const sendPlan = async (
  world: StepWorld,
  i: number,
  plan: string,
  deadline?: Date,
): Promise<number> => {
  const keyed = headers();
  if (deadline !== undefined) keyed.set(HEADER.deadline, deadline.toISOString());
  keyed.set(HEADER.key, randomUUID());
  return waitFor(
    `the command of a${i} to be stored`,
    async () => {
      const subject = `cmd.stepper.follow.a${i}`;
      const options = { headers: keyed, timeout: 5_000 };
      const reply = await world.nc.request(subject, JSON.stringify({ plan }), options);
      const { seq } = reply.json<{ seq?: number }>();
      if (seq === undefined) throw new Error(reply.string());
      return seq;
    },
    60_000,
  );
};

export const resultsOf = async (world: StepWorld, count: number) =>
  waitFor(
    'every handler to be answered',
    async () => {
      const records = await logOf(world.operator);
      const results = records.filter(({ subject }) => subject.startsWith('res.stepper.follow.'));
      return results.length >= count && records;
    },
    180_000,
  );

/** Nothing is wrong with the log, whatever may still come. */
export const isClean = async ({ operator }: StepWorld): Promise<void> => {
  await waitFor('nothing to be wrong with the log', async () => {
    const { verification } = success(await verifyLog({ nc: operator, graceMs: 0 })());
    if (verification.ok) return true;
    throw new Error(JSON.stringify(verification.findings.slice(0, 5)));
  });
};
