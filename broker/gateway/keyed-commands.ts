import * as E from 'fp-ts/lib/Either.js';
import type { NatsConnection } from 'nats';
import type { Draft } from '../../journal/append/draft.js';
import type { Producer } from '../../journal/producer/producer.js';
import { recordsAt } from '../../journal/read/records-at.js';
import { MAX_SENDER_KEYS } from '../../schemas/command-key.js';
import { type Fault, fault, toFault } from '../../schemas/errors.js';
import { HEADER } from '../../schemas/headers.js';
import { overloaded } from '../serving/overloaded.js';
import type { PrincipalUsages } from '../serving/principal-usage.js';
import type { SenderKey } from '../index/command-keys.js';
import type { LogIndex } from '../index/log-index.js';
import { keyDiffers, keyReused } from './key-reuse.js';

export interface KeyedCommandsOptions {
  readonly nc: NatsConnection;
  readonly producer: Pick<Producer, 'append' | 'fence'>;
  readonly index: Pick<LogIndex, 'keys' | 'position' | 'reached' | 'reachedWithin'>;
  readonly usages: PrincipalUsages;
  /** Above it a sender's new key is refused. */
  readonly maxKeys?: number;
}

/** A command that a sender gives a key. */
export interface KeyedRequest extends SenderKey {
  readonly draft: Draft;
  /** Why a new command cannot be stored now. It is not asked for a command that the log has. */
  readonly refusal: () => Fault | undefined;
}

/** The command of a key. */
export interface KeyedReceipt {
  readonly seq: number;
  /** Another request stored it. */
  readonly wasStored: boolean;
}

type KeyedOutcome = E.Either<Fault, KeyedReceipt>;

interface Storing {
  readonly draft: Draft;
  readonly outcome: Promise<KeyedOutcome>;
}

/** Requests that wait to be stored, or for the command with their key; each holds its payload. */
const MAX_WAITING = 100_000;
/** The index reads the same log, so it is at most this far behind. */
const INDEX_WAIT_MS = 20_000;

/**
 * Stores each command with a key once: the requests of one sender with the same key are one command, also those that
 * come at once, after a restart, or when the command has its result. The log remembers the keys, and the index finds
 * them. A key that is on its way into the log is remembered here. See docs/decisions/0064.
 */
export class KeyedCommands {
  /** What is on its way, or not read by the index yet, by sender and key. */
  readonly #storing = new Map<string, Storing>();
  /** The fence of the epoch that ended with a keyed command of which nobody knows whether the log has it. */
  #unsureFence = 0;
  #waiting = 0;

  constructor(private readonly options: KeyedCommandsOptions) {}

  /** The command of this key: the one that the log has, or this one, once it is stored. Never throws. */
  async store(request: KeyedRequest): Promise<KeyedOutcome> {
    if (this.#waiting >= MAX_WAITING)
      return E.left(overloaded(`${MAX_WAITING} commands with keys wait to be stored`));
    this.#waiting += 1;
    try {
      return await this.#store(request);
    } catch (error) {
      return E.left(toFault(error));
    } finally {
      this.#waiting -= 1;
    }
  }

  async #store(request: KeyedRequest): Promise<KeyedOutcome> {
    const { sender, key, draft } = request;
    const id = `${sender} ${key}`;
    for (let before = this.#storing.get(id); before !== undefined; before = this.#storing.get(id)) {
      const outcome = await before.outcome;
      const differs = keyDiffers(before.draft, draft);
      // A request that was refused has not used the key: it is this one's turn.
      if (E.isLeft(outcome) && differs !== undefined) continue;
      if (E.isLeft(outcome)) return outcome;
      const { seq } = outcome.right;
      return differs === undefined
        ? E.right({ seq, wasStored: true })
        : E.left(keyReused(key, `command ${seq}`, differs));
    }
    const outcome = this.#find(request).catch((error: unknown) => E.left(toFault(error)));
    this.#storing.set(id, { draft, outcome });
    const settled = await outcome;
    if (E.isLeft(settled)) this.#storing.delete(id);
    else void this.#forget(id, settled.right.seq);
    return settled;
  }

  /** The sequence of the result of the command of a key, if the index has read it. */
  resultOf(of: SenderKey): number | undefined {
    return this.options.index.keys.get(of)?.resultSeq ?? undefined;
  }

  /** From when the index has read the command, the index remembers its key. */
  async #forget(id: string, seq: number): Promise<void> {
    await this.options.index.reached(seq);
    this.#storing.delete(id);
  }

  async #find(request: KeyedRequest): Promise<KeyedOutcome> {
    const { index, producer } = this.options;
    // What the epochs before have stored, also those of an earlier broker, is below the fence.
    while (index.position < producer.fence) {
      if (!(await index.reachedWithin(producer.fence, INDEX_WAIT_MS)))
        return E.left(fault('LOG_UNAVAILABLE', `record ${producer.fence} has not been read from the log`));
    }
    const known = index.keys.get(request);
    return known === undefined ? this.#storeNew(request) : this.#compared(known.seq, request);
  }

  async #compared(seq: number, { key, draft }: KeyedRequest): Promise<KeyedOutcome> {
    const found = await recordsAt({ nc: this.options.nc, prefix: '$JS.API' }, [seq])();
    const [stored] = E.isLeft(found) ? [] : found.right;
    if (stored === undefined) {
      const why = E.isLeft(found) ? found.left.message : 'nothing came';
      return E.left(fault('LOG_UNAVAILABLE', `record ${seq} with the key ${key} cannot be compared: ${why}`));
    }
    const differs = keyDiffers(stored, draft);
    return differs === undefined
      ? E.right({ seq, wasStored: true })
      : E.left(keyReused(key, `command ${seq}`, differs));
  }

  async #storeNew({ sender, key, draft, refusal }: KeyedRequest): Promise<KeyedOutcome> {
    const { index, producer, maxKeys = MAX_SENDER_KEYS } = this.options;
    const refused = refusal();
    if (refused !== undefined) return E.left(refused);
    if (this.#unsureFence > 0 && producer.fence <= this.#unsureFence) {
      const text = 'the log has not answered yet which commands with keys it has; try again';
      return E.left(fault('LOG_UNAVAILABLE', text));
    }
    if (index.keys.isFull(sender, maxKeys)) {
      const text = `${sender} has used ${maxKeys} keys within 24 hours, and no more may be in use; try again later, or send without a key`;
      return E.left(fault('KEYS_FULL', text));
    }
    const headers = { ...draft.headers, [HEADER.key]: key };
    // An outbox would send the command at the next start, when another request has perhaps stored it.
    const bytes = draft.subject.length + draft.data.length;
    const usage = this.options.usages.of(sender);
    const [, module = ''] = draft.subject.split('.', 2);
    const full = this.options.usages.full({ sender, module, bytes });
    if (full !== undefined) return E.left(full);
    usage.share.storing(bytes);
    const stored = await producer.append({ ...draft, headers }, { keep: false })();
    usage.share.settled(bytes, E.isRight(stored) ? stored.right.seq : undefined);
    if (E.isRight(stored)) return E.right({ seq: stored.right.seq, wasStored: false });
    if (stored.left.code === 'LOG_UNCERTAIN') this.#unsureFence = producer.fence;
    return stored;
  }
}
