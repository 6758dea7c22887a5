import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect as connectNats, type NatsConnection } from 'nats';
import { readLog } from '../../journal/read/reader.js';
import { connect, type Tally } from '../../modules/entry.js';
import { HEADER } from '../../schemas/headers.js';
import type { StoredMessage } from '../../schemas/record.js';
import type { Result } from '../../schemas/result.js';
import type { StepPlan } from '../fixtures/modules/stepper/index.js';
import { manifest } from '../fixtures/modules/stepper/manifest.js';
import { startBroker, type TestBroker } from './broker.js';
import { type ChargingServer, startChargingServer } from './charging-server.js';
import { connectOperator } from './log-checks.js';
import { writeModule } from './module-dir.js';
import { tempDir } from './temp-dir.js';
import { waitFor } from './wait-for.js';
import { PATIENT } from './patient.js';

/** A broker with the module `stepper`, whose handlers do what a file says, and with what tests ask it. */
export interface StepperBroker extends AsyncDisposable {
  readonly broker: TestBroker;
  readonly server: ChargingServer;
  readonly guest: NatsConnection;
  readonly operator: NatsConnection;
  readonly tally: Tally;
  readonly moduleDir: string;
  /** Writes what a handler does; the same path again is another plan for the same command. */
  readonly write: (path: string, plan: Partial<StepPlan>) => void;
  /** Writes it into a file that is new. */
  readonly planOf: (plan: Partial<StepPlan>) => string;
  /** Sends a command to follow the plan, and gives its sequence. */
  readonly send: (agent: string, planFile: string, nc?: NatsConnection) => Promise<number>;
  readonly records: () => Promise<readonly StoredMessage[]>;
  readonly causedBy: (command: number) => Promise<readonly StoredMessage[]>;
  readonly resultOf: (command: number) => Promise<Result>;
  /** Waits until the handler of a command has made so many operations. */
  readonly begun: (command: number, made: number) => Promise<unknown>;
  /** A file that lets the step of a handler end. */
  readonly gate: () => { readonly until: string; readonly open: () => void };
}

export const codeOf = (result: Result): string | undefined =>
  result.status === 'ok' ? undefined : result.error.code;

/** `end`: how a handler ends whose plan does not say it. */
export const startStepper = async (end: StepPlan['end']): Promise<StepperBroker> => {
  const dir = tempDir();
  const moduleDir = join(dir.path, 'stepper');
  // The cage of `replay diff` lets the code read its own directory.
  const plans = join(moduleDir, 'plans');
  const server = await startChargingServer();
  const module = await writeModule(moduleDir, 'stepper', manifest);
  mkdirSync(plans);
  const args = ['--durability', 'os', '--cage', 'off', '--module', module];
  const broker = await startBroker({ shipped: ['accounts'], args });
  const guest = await connectNats({ servers: broker.url });
  const operator = await connectOperator(broker.dataDir);
  const tally = await connect({ connection: guest });
  let count = 0;
  const next = (): number => {
    count += 1;
    return count;
  };
  const write = (path: string, plan: Partial<StepPlan>): void => {
    const whole = { url: server.url, operations: [], atOnce: false, end, ...plan };
    writeFileSync(path, JSON.stringify(whole satisfies StepPlan));
  };
  const records = async (): Promise<readonly StoredMessage[]> => {
    const found: StoredMessage[] = [];
    for await (const record of readLog(operator)) found.push(record);
    return found;
  };
  const causedBy = async (command: number): Promise<readonly StoredMessage[]> =>
    (await records()).filter((record) => record.header(HEADER.cause) === String(command));
  return {
    broker,
    server,
    guest,
    operator,
    tally,
    moduleDir,
    write,
    planOf: (plan) => {
      const path = join(plans, `${next()}.json`);
      write(path, plan);
      return path;
    },
    send: async (agent, plan, nc = guest) => {
      const reply = await nc.request(`cmd.stepper.follow.${agent}`, JSON.stringify({ plan }), PATIENT);
      return reply.json<{ seq: number }>().seq;
    },
    records,
    causedBy,
    resultOf: async (command) =>
      (await operator.request(`result.${command}`, '', { timeout: 20_000 })).json<Result>(),
    begun: (command, made) =>
      waitFor('the handler to come so far', async () => {
        const all = await causedBy(command);
        return all.filter((record) => record.header(HEADER.call) !== undefined).length >= made;
      }),
    gate: () => {
      const until = join(dir.path, `gate-${next()}`);
      return { until, open: () => writeFileSync(until, '') };
    },
    [Symbol.asyncDispose]: async () => {
      await tally.close();
      await Promise.all([guest.close(), operator.close()]);
      await broker[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
      await dir[Symbol.asyncDispose]();
    },
  };
};
