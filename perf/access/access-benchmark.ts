import { newUserKey } from '../../link/nkey.js';
import { startProgram } from '../../system/processes/program.js';
import { startReaper } from '../../system/processes/reaper.js';
import type { Report, Scenario } from '../bench/scenario.js';
import { BUSY, startBrokerCallee } from '../calls/callees.js';
import { callsTable } from '../calls/calls-tables.js';
import type { CallerQuestions } from '../calls/caller-main.js';
import { type FiguresByInFlight, measureCalls } from '../calls/measure-calls.js';
import { benchPrincipal } from '../bench/bench-principal.js';

const IN_FLIGHT = [1, BUSY] as const;
const SECONDS = 1.5;
const ROUNDS = 5;
const GUARDED = 'token, limits, cage';
const OPEN = 'guest, no cage';

/** Each request is counted against each of them, and none is reached. */
const LIMITS = { rate: 1e9, bytes: 1e12, inflight: 1e6, payload: 1024 * 1024, depth: 64 };

const over = (found: ReadonlyMap<string, FiguresByInFlight>, inFlight: number): readonly number[] => {
  const values = (name: string): readonly number[] => found.get(name)?.[inFlight]?.perSecond.values ?? [];
  const open = values(OPEN);
  return values(GUARDED).map((each, i) => each / (open[i] ?? Number.NaN));
};

const middle = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

/** What grants, limits and the cage cost a call: both brokers are called in turn in each round. */
export const access: Scenario = {
  name: 'access',
  summary: 'calls by a token with grants and limits to a module in a cage, compared with a guest and no cage',
  takes: ['in-flight', 'seconds'],
  run: async ({
    inFlight = IN_FLIGHT,
    seconds = SECONDS,
    rounds = ROUNDS,
    records: most = Number.MAX_SAFE_INTEGER,
    say,
  }): Promise<Report> => {
    const reaper = startReaper();
    try {
      const { publicKey, seed } = newUserKey();
      const principal = benchPrincipal('bench', publicKey, ['call accounts.deposit.agent-*'], LIMITS);
      const durability = 'os';
      await using guarded = await startBrokerCallee(
        { name: GUARDED, durability, principal, seed, args: ['--cage', 'required', '--guest', 'off'] },
        reaper,
      );
      await using open = await startBrokerCallee({ name: OPEN, durability, args: ['--cage', 'off'] }, reaper);
      const callees = [open, guarded];
      const targets = Object.fromEntries(callees.map(({ name, target }) => [name, target]));
      const main = new URL('../calls/caller-main.js', import.meta.url);
      await using caller = startProgram<CallerQuestions>(main, { targets }, reaper);
      const found = await measureCalls(caller, callees, { inFlight, seconds, most, rounds, say });
      const ratios = Object.fromEntries(
        inFlight.map((each) => [`guardedOverOpen${each}`, Number(middle(over(found, each)).toFixed(3))]),
      );
      return {
        data: { access: { seconds, rounds, callees: Object.fromEntries(found) }, ratios },
        tables: [
          ...[...found].map(([name, each]) => callsTable(name, each, name)),
          {
            title: 'calls a second with all protections over those without, median of the rounds',
            heads: ['in flight', 'ratio', 'of each round'],
            rows: inFlight.map((each) => [
              String(each),
              middle(over(found, each)).toFixed(3),
              over(found, each)
                .map((ratio) => ratio.toFixed(2))
                .join(' '),
            ]),
          },
        ],
      };
    } finally {
      await reaper.close();
    }
  },
};
