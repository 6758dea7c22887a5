import * as E from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type { Appended, Draft, JournalError, Receipt, Settle } from './draft.js';

/** Submits records in their order and waits until each is settled: all receipts, or what became of each. */
export const appendAll =
  <D = Draft>(
    drafts: readonly D[],
    submit: (draft: D, settle: Settle) => void,
  ): TaskEither<JournalError, readonly Receipt[]> =>
  () =>
    new Promise((resolve) => {
      const records: Appended[] = new Array(drafts.length);
      let missing = drafts.length;
      const finish = (): void => {
        const first = records.find(E.isLeft);
        resolve(
          first === undefined
            ? E.right(records.map((outcome) => (outcome as E.Right<Receipt>).right))
            : E.left({ fault: first.left, records }),
        );
      };
      if (missing === 0) return finish();
      for (const [index, draft] of drafts.entries()) {
        submit(draft, (outcome) => {
          records[index] = outcome;
          missing -= 1;
          if (missing === 0) finish();
        });
      }
    });
