import * as E from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { type Fault, fault } from '../../schemas/errors.js';
import type { LateEnd } from '../serving/serve-requests.js';

/** For a request that does not say how long its sender waits; the command line waits for two minutes. */
const DEFAULT_WAIT_MS = 110_000;
const MAX_WAIT_MS = 3_600_000;

const waitOf = ({ waitMs }: Readonly<Record<string, unknown>>): number =>
  typeof waitMs === 'number' && waitMs >= 0 && waitMs <= MAX_WAIT_MS ? waitMs : DEFAULT_WAIT_MS;

/**
 * Answers before the sender gives up (`waitMs` of the request, milliseconds): with how the work ended, or with
 * OPERATION_PENDING. The work continues, and `whenLate` hears of its end.
 */
export const answerWithin =
  (body: Readonly<Record<string, unknown>>, what: string, whenLate?: LateEnd) =>
  <A extends object>(work: TaskEither<Fault, A>): TaskEither<Fault, A> =>
  async () => {
    const waitMs = waitOf(body);
    let timer: NodeJS.Timeout | undefined;
    let isLate = false;
    const late = new Promise<E.Either<Fault, never>>((resolve) => {
      timer = setTimeout(() => {
        const message = `${what} continues: it was not done within ${waitMs} ms; \`tallystick module list\` shows its state`;
        isLate = true;
        resolve(E.left(fault('OPERATION_PENDING', message)));
      }, waitMs);
    });
    try {
      const working = work();
      void working.then((ended) => isLate && whenLate?.(ended)).catch(() => undefined);
      return await Promise.race([working, late]);
    } finally {
      clearTimeout(timer);
    }
  };
