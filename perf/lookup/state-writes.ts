import { startReaper } from '../../system/processes/reaper.js';
import { makeBenchDir } from '../bench/bench-dir.js';
import { startBenchServer } from '../bench/bench-server.js';
import { percentile } from '../bench/percentiles.js';
import { inRounds, measured } from '../bench/rounds.js';
import type { LookupPart } from './part.js';
import { startProgram } from '../../system/processes/program.js';
import type { StateWatcherQuestions } from './state-watcher-main.js';
import type { StateWriterQuestions, StateWriterSetting } from './state-writer-main.js';
import { pause } from '../../system/async/pause.js';
import { formatNumber } from '../../text/numbers.js';

const AGENTS = 10_000;
const EVENTS_PER_SECOND = 10_000;
const SECONDS = 5;
const ROUNDS = 3;
const WARM_UP_MS = 2_000;

interface Round {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly samples: number;
  readonly perSecond: number;
}

const round3 = (value: number): number => Math.round(value * 1_000) / 1_000;

/**
 * From the time at which the server stored an event, by the server's clock, until another process sees the state that
 * it leads to: the acknowledgement, the fold, the group and its commit are in it, and the message by which the
 * watcher learns that there is something to look for.
 */
export const stateWrites: LookupPart = {
  name: 'stateWrites',
  run: async ({ rounds = ROUNDS, records = Number.POSITIVE_INFINITY, say }) => {
    await using server = await startBenchServer('os', say);
    await using dir = await makeBenchDir();
    const reaper = startReaper();
    const setting: StateWriterSetting = { url: server.url, dataDir: dir.path };
    const program = (name: string) => new URL(name, import.meta.url);
    try {
      await using writer = startProgram<StateWriterQuestions>(
        program('state-writer-main.js'),
        setting,
        reaper,
      );
      await using watcher = startProgram<StateWatcherQuestions>(
        program('state-watcher-main.js'),
        setting,
        reaper,
      );
      const seconds = Math.min(SECONDS, records / EVENTS_PER_SECOND);
      const done: Round[] = [];
      await watcher.ask('watch', null);
      // Every agent has a state then, and the code of both processes is compiled.
      await writer.ask('write', { agents: AGENTS, perSecond: EVENTS_PER_SECOND });
      await pause(WARM_UP_MS);
      await writer.ask('stop', null);
      await watcher.ask('seen', null);
      const run = async (): Promise<number> => {
        await writer.ask('write', { agents: AGENTS, perSecond: EVENTS_PER_SECOND });
        await pause(seconds * 1_000);
        const { perSecond } = await writer.ask('stop', null);
        const sorted = Float64Array.from(await watcher.ask('seen', null)).sort();
        const [p50Ms, p99Ms] = [percentile(sorted, 0.5), percentile(sorted, 0.99)];
        done.push({ p50Ms, p99Ms, samples: sorted.length, perSecond });
        return p50Ms;
      };
      await inRounds(
        [{ name: 'event in the log to state visible', run }],
        rounds,
        say,
        (ms) => `p50 ${ms.toFixed(3)} ms`,
      );
      const p50Ms = measured(done.map((each) => each.p50Ms));
      const p99Ms = measured(done.map((each) => each.p99Ms));
      return {
        data: { agents: AGENTS, eventsPerSecond: EVENTS_PER_SECOND, seconds, rounds: done },
        tables: [
          {
            title: `an event in the log until its state is seen by another process, ${formatNumber(EVENTS_PER_SECOND)} events/s, os, milliseconds`,
            heads: ['round', 'p50', 'p99', 'events/s', 'watched'],
            rows: done.map((each, i) => [
              String(i + 1),
              each.p50Ms.toFixed(3),
              each.p99Ms.toFixed(3),
              formatNumber(each.perSecond),
              String(each.samples),
            ]),
          },
        ],
        ratios: { stateWriteP50Ms: round3(p50Ms.median), stateWriteP99Ms: round3(p99Ms.median) },
      };
    } finally {
      await reaper.close();
    }
  },
};
