import type { NatsConnection } from 'nats';
import { linkedRequest } from '../../link/linked-request.js';
import { type BrokerStatus, type ModuleStatus, OPS } from '../../schemas/operate.js';
import { pause } from '../../system/async/pause.js';
import type { BenchModule } from '../bench/bench-module.js';

const IN_FLIGHT = 200;
/** Between two looks at the status. */
const LOOK_MS = 250;

/** Its handlers sleep until a time. */
export const SLEEPER: BenchModule = {
  manifest: {
    name: 'sleeper',
    version: '1.0.0',
    description: 'Sleeps until a time.',
    actions: {
      sleep: {
        agent: 'required',
        input: { type: 'object', properties: { until: { type: 'string' } }, required: ['until'] },
        output: { type: 'object' },
      },
    },
    events: {},
    start: { entry: './index.js' },
  },
  code: `
const run = ({ data }, { sleepUntil }) => async () => {
  const slept = await sleepUntil(data.until)();
  return slept._tag === 'Left' ? slept : { _tag: 'Right', right: { data: {} } };
};
export default { manifest, initial: {}, actions: { sleep: { run } }, evolve: {} };
`,
};

/** What the broker says of a module. */
export const statusOf = async (operator: NatsConnection, module: string): Promise<ModuleStatus> => {
  const reply = await linkedRequest(operator, OPS.status, '{}', { timeout: 10_000 });
  const found = reply.json<BrokerStatus>().modules.find(({ name }) => name === module);
  if (found === undefined) throw new Error(`the broker has no module ${module}`);
  return found;
};

/** Sends so many commands whose handlers sleep until then, each for another agent. Resolves when all sleep. */
export const sendToSleep = async (
  nc: NatsConnection,
  operator: NatsConnection,
  sleepers: number,
  untilMs: number,
): Promise<void> => {
  const payload = JSON.stringify({ until: new Date(untilMs).toISOString() });
  const lane = async (first: number): Promise<void> => {
    for (let i = first; i < sleepers; i += IN_FLIGHT)
      await nc.request(`cmd.sleeper.sleep.a${i}`, payload, { timeout: 30_000 });
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, (_, i) => lane(i)));
  while (((await statusOf(operator, 'sleeper')).asleep ?? 0) < sleepers) await pause(LOOK_MS);
};
