/** The process that measures how long a result that the server has stored stays invisible in the snapshots. */
import { isLeft } from 'fp-ts/lib/Either.js';
import { connect } from 'nats';
import { readLog } from '../../journal/read/reader.js';
import { logEnds } from '../../journal/read/reader-api.js';
import { FaultError } from '../../schemas/errors.js';
import type { StoredMessage } from '../../schemas/record.js';
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

const watch = ({ seq, subject, timeUs = 0 }: StoredMessage): void => {
  if (isWatching) return;
  isWatching = true;
  const storedAt = timeUs / 1_000;
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

const follow = async (): Promise<void> => {
  const ends = await logEnds({ nc, prefix: '$JS.API' });
  if (isLeft(ends)) throw new FaultError(ends.left.fault);
  const range = { filters: [`res.${MODULE}.deposit.*`], fromSeq: ends.right.lastSeq + 1 };
  for await (const message of readLog(nc, { ...range, follow: true, headersOnly: true })) watch(message);
};

answerQuestions<StateWatcherQuestions>({
  watch: async () => {
    void follow();
    return null;
  },
  seen: () => seen.splice(0),
});
