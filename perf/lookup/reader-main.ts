/** The process that looks agents up. */
import { agentsByChance, type FoundState } from './stores/population.js';
import { answerQuestions, settingOf } from '../../system/processes/program.js';
import type { StoreLocation } from './stores/store.js';
import { openReader } from './stores/open.js';
import { type Limits, type Timed, timeLookups, timeNothing } from './stores/timing.js';

interface LookupOrder extends Limits {
  readonly agents: number;
  readonly seed: number;
}

export type ReaderQuestions = {
  readonly time: { readonly ask: LookupOrder; readonly answer: Timed };
  /** What the timing of a lookup costs itself. */
  readonly nothing: { readonly ask: null; readonly answer: Timed };
  readonly get: { readonly ask: string; readonly answer: FoundState | null };
};

const reader = await openReader(settingOf<StoreLocation>());

answerQuestions<ReaderQuestions>({
  time: ({ agents, seed, ...limits }) => timeLookups(reader.get, agentsByChance(agents, seed), limits),
  nothing: () => timeNothing(agentsByChance(10_000, 1)),
  get: async (agent) =>
    ('sync' in reader.get ? reader.get.sync(agent) : await reader.get.async(agent)) ?? null,
});
