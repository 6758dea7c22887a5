import * as E from 'fp-ts/lib/Either.js';
import { Pull } from '../../journal/read/pull.js';
import { failPoint } from '../../system/processes/fail-point.js';
import { SparseSequences } from '../../journal/wire/sparse-sequences.js';
import type { NatsConnection } from 'nats';
import type { StartReply } from '../../schemas/control.js';
import { type Fault, FaultError, toFault } from '../../schemas/errors.js';
import { causeOf, type StoredMessage } from '../../schemas/record.js';
import type { ReadFoldable } from '../sdk/foldable.js';
import type { States } from './states.js';

/**
 * The module's own code cannot fold what the log holds. To begin again would not help: the process ends, and the broker
 * parks a module that keeps ending so.
 */
export class FoldError extends Error {
  override readonly name = 'FoldError';
  constructor(seq: number, { code, message }: Fault, cause?: unknown) {
    super(`${code}: record ${seq} cannot be folded: ${message}`, { cause });
  }
}

const WINDOW = 5_000;

/** Asks for more of the log; where much waits to be written, once there is room for more. */
export const wantMore = (pull: Pull, states: States): void => {
  if (states.isFull) void states.room().then(() => pull.want(WINDOW));
  else pull.want(WINDOW);
};

/** Folds one record; returns the command that it answers, if it is a result. Throws FoldError. */
export const fold = (read: ReadFoldable, states: States, message: StoredMessage): number | undefined => {
  failPoint('host.folding');
  const foldable = read(message);
  if (E.isLeft(foldable)) throw new FoldError(message.seq, foldable.left);
  if (foldable.right === undefined) return undefined;
  const { agent, events } = foldable.right;
  try {
    states.apply(agent, message.seq, message.timeMs, events);
  } catch (error) {
    throw new FoldError(message.seq, toFault(error, 'FOLD_FAILED'), error);
  }
  // No result answers a command that comes behind it.
  const cause = causeOf(message);
  return cause !== undefined && cause < message.seq ? cause : undefined;
};

export interface PastOptions {
  readonly nc: NatsConnection;
  readonly apiPrefix: string;
  readonly read: ReadFoldable;
  readonly start: StartReply;
  readonly states: States;
  /** One more record of the past is read. */
  readonly onRead: () => void;
}

/**
 * Reads the module's past up to its own epoch: folds it into the states, and gives back which of the commands
 * that will come again have a result.
 */
export const foldPast = ({
  nc,
  apiPrefix,
  read,
  start,
  states,
  onRead,
}: PastOptions): Promise<SparseSequences> =>
  new Promise((resolve, reject) => {
    const answered = new SparseSequences();
    let left = start.foldRecords;
    if (left === 0) return resolve(answered);
    const pull = new Pull({
      nc,
      apiPrefix,
      consumer: start.foldConsumer,
      onBroken: (reason) => reject(new FaultError(reason)),
      onMessage: ({ message }) => {
        try {
          const cause = message.seq < start.epoch ? fold(read, states, message) : undefined;
          if (cause !== undefined && cause >= start.resumeFrom) answered.add(cause);
          left -= 1;
          onRead();
          // Above the epoch there are commands, which come by the other consumer.
          if (left === 0 || message.seq >= start.epoch) {
            pull.close();
            resolve(answered);
            return;
          }
          wantMore(pull, states);
        } catch (error) {
          pull.close();
          reject(error);
        }
      },
    });
    pull.want(WINDOW);
  });
