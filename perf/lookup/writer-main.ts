/** The process that writes states: all agents once, then changes of agents by chance at a fixed rate. */
import { type Pace, startPace } from './pace.js';
import { agentNamed, agentsByChance, type StateChange, changeOf, moment } from './stores/population.js';
import { answerQuestions, settingOf } from '../../system/processes/program.js';
import type { StoreLocation } from './stores/store.js';
import { openWriter } from './stores/open.js';

export interface WriterProgress {
  readonly perSecond: number;
  /** The last change: from when this is answered, every reader finds it. */
  readonly last: { readonly agent: string; readonly seq: number };
}

export type WriterQuestions = {
  readonly fill: { readonly ask: number; readonly answer: null };
  readonly write: {
    readonly ask: { readonly agents: number; readonly perSecond: number; readonly seed: number };
    readonly answer: null;
  };
  readonly stop: { readonly ask: null; readonly answer: WriterProgress };
};

const FILL_GROUP = 10_000;

const writer = await openWriter(settingOf<StoreLocation>());
let seq = 0;
let last = { agent: '', seq: 0 };
let pace: Pace | undefined;

/** So many changes as one group. */
const put = async (count: number, next: () => string): Promise<void> => {
  const now = moment(new Date());
  const changes: StateChange[] = [];
  for (let i = 0; i < count; i++) changes.push(changeOf(next(), ++seq, now));
  await writer.put(changes);
  const newest = changes.at(-1);
  if (newest !== undefined) last = { agent: newest.agent, seq: newest.seq };
};

answerQuestions<WriterQuestions>({
  fill: async (agents) => {
    let number = 0;
    while (number < agents) await put(Math.min(FILL_GROUP, agents - number), () => agentNamed(number++));
    await writer.settle?.();
    return null;
  },
  write: ({ agents, perSecond, seed }) => {
    const next = agentsByChance(agents, seed);
    pace = startPace(perSecond, (count) => put(count, next));
    return null;
  },
  stop: async () => {
    if (pace === undefined) throw new Error('it does not write');
    const { events, seconds } = await pace.stop();
    pace = undefined;
    // What is not visible yet is not written yet: the wait for it counts.
    const from = performance.now();
    await writer.settle?.();
    return { perSecond: events / (seconds + (performance.now() - from) / 1_000), last };
  },
});
