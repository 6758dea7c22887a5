import { join } from 'node:path';
import { connect, type NatsConnection } from 'nats';
import { authenticatorOf, newUserKey } from '../../link/nkey.js';
import { linkedRequest } from '../../link/linked-request.js';
import { ACCESS } from '../../schemas/access-requests.js';
import { type Program, startProgram } from '../../system/processes/program.js';
import { startReaper } from '../../system/processes/reaper.js';
import { startBenchBroker } from '../bench/bench-broker.js';
import { makeBenchDir } from '../bench/bench-dir.js';
import { brokerProcesses } from '../bench/broker-processes.js';
import { processorTime } from '../bench/processor-time.js';
import type { Report, Scenario } from '../bench/scenario.js';
import { connectOperator } from '../burst/connect-operator.js';
import { figuresOf, noSamples, observe, timeUntilNormal } from './canary.js';
import { fairnessReport, type FloodRow } from './fairness-report.js';
import type { FairFlooderQuestions } from './fair-flooder-main.js';
import { FAIR_FLOOD_NAMES, FAIR_FLOODS, type FairFloodName, HOG } from './flood-kinds.js';
import { credentialOf, HOSTILE, writeHostileModule } from './hostile-module.js';

const CALLS = 250;
/** Of the p99 without a flood: so much is still normal. */
export const GOAL = 3;
/** A call that is as fast as this is normal, however fast others are: below it, the timers of the machine are seen. */
const LEAST_NORMAL_MS = 10;

const createToken = async (
  operator: NatsConnection,
  name: string,
  allow: readonly string[],
): Promise<string> => {
  const { seed, publicKey } = newUserKey();
  const body = { name, publicKey, allow, ttlMs: null };
  const reply = await linkedRequest(operator, ACCESS.create, JSON.stringify(body), { timeout: 30_000 });
  const { error } = reply.json<{ readonly error?: { readonly message: string } }>();
  if (error !== undefined) throw new Error(error.message);
  return seed;
};

interface FairnessRun {
  readonly operator: NatsConnection;
  readonly canary: NatsConnection;
  readonly dir: string;
  readonly moduleDir: string;
  readonly flooder: Program<FairFlooderQuestions>;
  readonly seed: string;
  readonly calls: number;
}

const seedFor = (
  name: FairFloodName | typeof HOG,
  { operator, moduleDir, seed }: FairnessRun,
): Promise<string | null> => {
  const by = name === HOG ? 'guest' : FAIR_FLOODS[name].by;
  switch (by) {
    case 'guest':
      return Promise.resolve(null);
    case 'token':
      return Promise.resolve(seed);
    case 'module':
      return credentialOf(operator, moduleDir);
  }
};

/** One flood, with a time without one before it: what else the machine does meets both. */
const runFlood = async (run: FairnessRun, name: FairFloodName | typeof HOG): Promise<FloodRow> => {
  const { canary, flooder, calls, dir } = run;
  const seed = await seedFor(name, run);
  const [idle, neighbour, flooded] = [noSamples(), noSamples(), noSamples()];
  await observe(canary, Math.ceil(calls / 2), idle);
  // What a process that sends nothing takes of the machine, no queue of the broker can give back.
  await flooder.ask('start', { name: HOG, seed: null });
  await observe(canary, Math.ceil(calls / 2), neighbour);
  await flooder.ask('stop', null);
  const { server, broker, hosts } = await brokerProcesses(dir);
  const pids = { broker, server, module: hosts.accounts as number, flooder: await flooder.ask('pid', null) };
  const [from, before] = [performance.now(), await processorTime(pids)];
  // From its first moment on: a flood that the broker cuts off is felt until then.
  await Promise.all([flooder.ask('start', { name, seed }), observe(canary, calls, flooded)]);
  const after = await processorTime(pids);
  const seconds = (performance.now() - from) / 1_000;
  const { sent, failed } = await flooder.ask('stop', null);
  const quiet = figuresOf(idle);
  const normalMs = await timeUntilNormal(canary, Math.max(LEAST_NORMAL_MS, GOAL * quiet.p99Ms));
  const cores = (role: keyof typeof pids): number => (after[role] - before[role]) / (seconds * 1_000);
  return {
    name,
    idle: quiet,
    neighbour: figuresOf(neighbour),
    flooded: figuresOf(flooded),
    normalMs: normalMs ?? null,
    sentPerSecond: Math.round(sent / seconds),
    failed,
    cores: {
      broker: cores('broker'),
      server: cores('server'),
      module: cores('module'),
      flooder: cores('flooder'),
    },
  };
};

export const fairness: Scenario = {
  name: 'fairness',
  summary: "a program's calls while a guest, another program or a module floods the broker",
  takes: ['floods'],
  run: async ({ records: calls = CALLS, floods, say }): Promise<Report> => {
    await using dir = await makeBenchDir();
    const moduleDir = join(dir.path, HOSTILE);
    writeHostileModule(moduleDir);
    const reaper = startReaper();
    const dataDir = join(dir.path, 'data');
    try {
      await using broker = await startBenchBroker(dataDir, reaper, 'os', ['--module', moduleDir]);
      const operator = await connectOperator(dataDir);
      const flooding = ['call *.*', 'send *.*', 'schedule *.*', 'read *', 'produce *'];
      const seed = await createToken(operator, 'flooder', flooding);
      const authenticator = authenticatorOf(await createToken(operator, 'canary', ['call accounts.*']));
      const canary = await connect({ servers: broker.url, authenticator });
      await observe(canary, 100, noSamples());
      const rows: FloodRow[] = [];
      for (const name of [HOG, ...FAIR_FLOOD_NAMES] as const) {
        if (floods !== undefined && !floods.some((part) => name.includes(part))) continue;
        // Each flood has another process: what the last one left in its memory is gone.
        const main = new URL('./fair-flooder-main.js', import.meta.url);
        await using flooder = startProgram<FairFlooderQuestions>(main, { url: broker.url }, reaper);
        const row = await runFlood({ operator, canary, dir: dataDir, moduleDir, flooder, seed, calls }, name);
        rows.push(row);
        const { idle, flooded } = row;
        say(
          `${rows.length} of ${FAIR_FLOOD_NAMES.length + 1}: ${name}: p99 ${flooded.p99Ms.toFixed(1)} ms, without ${idle.p99Ms.toFixed(1)} ms`,
        );
      }
      await canary.close();
      await operator.close();
      return fairnessReport(rows);
    } finally {
      await reaper.close();
    }
  },
};
