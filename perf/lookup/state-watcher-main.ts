/** The process that measures how long a result that the server has stored stays invisible in the snapshots. */
import { connect, type Msg } from 'nats';
import { ModuleAgents } from '../../store/snapshots/index.js';
import { MODULE } from './stores/population.js';
import { answerQuestions, settingOf } from '../../system/processes/program.js';
import type { StateWriterSetting } from './state-writer-main.js';

export type StateWatcherQuestions = {
  readonly watch: { readonly ask: null; readonly answer: null };
  /** From a record's time in the log to its state in the snapshots, milliseconds, one for each that was watched. */
  readonly seen: { readonly ask: null; readonly answer: readonly number[] };
};

const { url, dataDir } = settingOf<StateWriterSetting>();
const nc = await connect({ servers: url });
const agents = new ModuleAgents(MODULE, dataDir);
const seen: number[] = [];
/** One agent at a time is watched, and none of the others: a look takes the processor from the writer. */
let isWatching = false;

/** Milliseconds since 1970, parts of them too, of a time that the server wrote. */
const exactly = (time: string): number =>
  Math.floor(Date.parse(time) / 1_000) * 1_000 + Number(`0${/\.\d+/.exec(time)?.[0] ?? '.0'}`) * 1_000;

const watch = ({ subject, headers }: Msg): void => {
  const seq = Number(headers?.get('Nats-Sequence'));
  const time = headers?.get('Nats-Time-Stamp');
  if (isWatching || !Number.isInteger(seq) || time === undefined) return;
  isWatching = true;
  const storedAt = exactly(time);
  const agent = subject.slice(subject.lastIndexOf('.') + 1);
  const look = (): void => {
    if ((agents.get(agent)?.seq ?? 0) < seq) return void setImmediate(look);
    seen.push(performance.timeOrigin + performance.now() - storedAt);
    setTimeout(() => {
      isWatching = false;
    }, 1);
  };
  look();
};

answerQuestions<StateWatcherQuestions>({
  watch: async () => {
    nc.subscribe(`live.res.${MODULE}.deposit.*`, {
      callback: (error, message) => {
        if (error === null) watch(message);
      },
    });
    await nc.flush();
    return null;
  },
  seen: () => seen.splice(0),
});
