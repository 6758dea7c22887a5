import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { printNote } from '../output/output.js';
import { wantsJson } from '../output/run-command.js';

/** A person who waits for longer wants to know what for. */
const SILENT_MS = 2_000;

/** Says on stderr what a task waits for, once it takes longer than 2 s. */
export const afterAWhile =
  <E, A>(what: string, task: TaskEither<E, A>): TaskEither<E, A> =>
  async () => {
    const timer = setTimeout(() => printNote(what, wantsJson(), { waiting: what }), SILENT_MS);
    try {
      return await task();
    } finally {
      clearTimeout(timer);
    }
  };
