import type { Report, Scenario } from '../bench/scenario.js';
import { measureIdle } from './idle.js';
import { measureStarting } from './starting.js';
import { formatNumber } from '../../text/numbers.js';

const AGENTS = [10_000, 1_000_000] as const;
const STARTING = 10_000;
const ROUNDS = 3;
const MIB = 1024 * 1024;

const seconds = (value: number): string => value.toFixed(2);

/** What agents cost that nothing happens to: memory in their module's host, and time at a start. */
export const agents: Scenario = {
  name: 'agents',
  summary: 'memory of idle agents in their host, and the start of a broker that has 10,000',
  takes: ['agents'],
  run: async ({ agents: counts = AGENTS, rounds = ROUNDS, say }): Promise<Report> => {
    const idle = [];
    for (const count of counts) idle.push(await measureIdle(count, say));
    const starting = await measureStarting(Math.min(STARTING, ...counts), rounds, say);
    const extra = Math.max(0, starting.broker.median - starting.empty.median);
    const ratios = {
      idleAgentBytes: idle[0]?.bytesPerHeld ?? null,
      startSeconds10k: Math.round(starting.broker.median * 100) / 100,
      startExtraSeconds10k: Math.round(extra * 100) / 100,
    };
    return {
      data: { idle, starting, ratios },
      tables: [
        {
          title: 'idle agents of one module, in the memory of its host',
          heads: ['agents', 'held', 'bytes an agent held', 'MiB in all'],
          rows: idle.map(({ agents, held, bytesPerHeld, bytes }) => [
            formatNumber(agents),
            formatNumber(held),
            formatNumber(bytesPerHeld),
            (bytes / MIB).toFixed(1),
          ]),
        },
        {
          title: `\`tallystick start\` until all modules handle commands, seconds, ${rounds} rounds`,
          heads: ['', 'median', 'lowest', 'highest'],
          rows: [
            [
              'without agents',
              ...[starting.empty.median, starting.empty.min, starting.empty.max].map(seconds),
            ],
            [
              `with ${formatNumber(starting.agents)}`,
              ...[starting.broker.median, starting.broker.min, starting.broker.max].map(seconds),
            ],
          ],
        },
      ],
    };
  },
};
