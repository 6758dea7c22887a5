import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { type NatsConnection, nuid } from 'nats';
import { appendAll } from '../../journal/append/append-all.js';
import type { Draft, JournalError, Receipt, Settle } from '../../journal/append/draft.js';
import { GROUPING } from '../../journal/append/grouping.js';
import { keepAlive } from '../../link/keepalive.js';
import type { Outbox } from '../../journal/producer/outbox.js';
import { Producer } from '../../journal/producer/producer.js';
import type { Accepted } from '../../journal/producer/producer-options.js';
import { requestedEpochs } from '../../journal/epochs/requested-epochs.js';
import type { Resumed } from '../../journal/producer/resumption.js';
import type { Fault } from '../../schemas/errors.js';
import { parseName } from '../../schemas/names.js';
import { commandSubject } from '../../schemas/subjects.js';
import type { CallOptions } from './task-client.js';
import type { ActionName, Input, TypedManifest } from '../sdk/define-manifest.js';
import type { Send } from '../sdk/module-shape.js';
import { send as commandOf } from '../sdk/send-command.js';
import { prepared } from './prepared.js';

/** The name of an outside producer, and its outbox. */
export interface ProducerSettings {
  /**
   * What this program calls itself, the same in every life; the account is put before it: `guest~sensor-7`. Two
   * processes of one name: the later one takes over, the server refuses whatever the earlier one still sends.
   */
  readonly name: string;
  /** A directory for what is accepted and not stored yet, so that this program's death loses nothing of it. */
  readonly outbox?: string;
  /** Commands that may wait to be stored; above it OVERLOADED. Default 100,000. */
  readonly maxPending?: number;
  /** The same in bytes of payload. Default 64 MiB. */
  readonly maxPendingBytes?: number;
  /** How long a command may wait for a log that is out of reach before it fails, milliseconds. Default 10,000; with an
   * outbox for ever. */
  readonly patienceMs?: number;
  /** Another process has taken over under this name; this producer is closed. */
  readonly onReplaced?: (reason: Fault) => void;
  /** The outbox cannot keep records; the producer continues without it. */
  readonly onFault?: (reason: Fault) => void;
}

export type SendOptions = Pick<CallOptions, 'deadline'>;

/** Sends one command; the task resolves as its method says. */
export type Sending<R> = <M extends TypedManifest, A extends ActionName<M>>(
  manifest: M,
  action: A,
  agent: string | undefined,
  data: Input<M, A>,
  options?: SendOptions,
) => TaskEither<Fault, R>;

/**
 * Sends commands as a separate producer: numbered without a gap, in order, each stored once, across reconnects and
 * restarts of the server. A left says whether the command is in the log: LOG_UNCERTAIN, where that could not be
 * learned in time, and else that it is not.
 */
export interface TaskProducer extends AsyncDisposable {
  /** Resolves when the command is stored: where it stands, and its number. */
  readonly send: Sending<Receipt>;
  /**
   * Resolves as soon as the outbox has the command, or the log: from then on the death of this program cannot lose
   * it.
   */
  readonly accept: Sending<Accepted>;
  /** Sends commands one behind the other; made with `send(manifest, action, agent, data)`. */
  readonly sendAll: (
    commands: readonly Send[],
    options?: SendOptions,
  ) => TaskEither<JournalError, readonly Receipt[]>;
  /** What became of the commands that the outbox had from earlier lives; they are sent before any new one. */
  readonly resumed: Promise<Resumed>;
  /** Commands that are not settled. */
  readonly pending: number;
  /** Ends it; what is not stored stays in the outbox. The connection stays open. */
  readonly close: () => Promise<void>;
}

const draftOf = ({ module, name, agent, data }: Send, { deadline }: SendOptions): E.Either<Fault, Draft> =>
  pipe(
    prepared({ module, name, agent, data, deadline }),
    E.map(({ address, payload, headers }) => ({ subject: commandSubject(address), data: payload, headers })),
  );

/** LMDB is loaded by those who use it. */
const openOutbox = async (
  dir: string,
  onFault: (reason: Fault) => void,
): Promise<E.Either<Fault, Outbox>> => {
  const { openOwnOutbox } = await import('../../store/outbox/own-outbox.js');
  return openOwnOutbox(dir, onFault)();
};

const asCommands = (producer: Producer): TaskProducer => ({
  send:
    (manifest, action, agent, data, options = {}) =>
    async () => {
      const draft = draftOf(commandOf(manifest, action, agent, data), options);
      return E.isLeft(draft) ? draft : producer.append(draft.right)();
    },
  accept:
    (manifest, action, agent, data, options = {}) =>
    async () => {
      const draft = draftOf(commandOf(manifest, action, agent, data), options);
      return E.isLeft(draft) ? draft : producer.accept(draft.right)();
    },
  sendAll: (commands, options = {}) => {
    const drafts = commands.map((command) => draftOf(command, options));
    const submit = (draft: E.Either<Fault, Draft>, settle: Settle): void =>
      E.isLeft(draft) ? settle(draft) : producer.submit(draft.right, settle);
    return appendAll(drafts, submit);
  },
  resumed: producer.resumed,
  get pending() {
    return producer.pending;
  },
  close: () => producer.close(),
  [Symbol.asyncDispose]: () => producer.close(),
});

/**
 * Makes this program a separate producer, on a connection of the caller. NAME_INVALID; BROKER_UNREACHABLE when no
 * broker answers; DATA_DIR_IN_USE when another process has the outbox; OUTBOX_UNAVAILABLE when it cannot be opened.
 */
export const createProducer =
  (nc: NatsConnection, settings: ProducerSettings): TaskEither<Fault, TaskProducer> =>
  async () => {
    const { name, outbox: dir, onReplaced, onFault = () => undefined, ...limits } = settings;
    const named = parseName('producer', name);
    if (E.isLeft(named)) return named;
    const outbox = dir === undefined ? E.right(undefined) : await openOutbox(dir, onFault);
    if (E.isLeft(outbox)) return outbox;
    keepAlive(nc);
    const opened = await Producer.open({
      nc,
      name,
      epochs: requestedEpochs({ nc, name, instance: nuid.next() }),
      // The first epoch brings the log's own.
      grouping: GROUPING.fsync,
      ...(outbox.right === undefined ? {} : { outbox: outbox.right, patienceMs: Number.POSITIVE_INFINITY }),
      ...limits,
      onReplaced: (reason) => onReplaced?.(reason),
    })();
    if (E.isLeft(opened)) {
      await outbox.right?.close();
      return opened;
    }
    return E.right(asCommands(opened.right));
  };
