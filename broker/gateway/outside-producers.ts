import * as E from 'fp-ts/lib/Either.js';
import type { NatsConnection } from 'nats';
import { type Fault, fault } from '../../schemas/errors.js';
import { HEADER, SCHEMA_VERSION } from '../../schemas/headers.js';
import { type Identity, parseIdentity } from '../../schemas/identity.js';
import type { Durability } from '../../schemas/log.js';
import { OWNER_MARK } from '../../schemas/names.js';
import { SEND_WINDOW } from '../../schemas/producer-requests.js';
import { epochSubject } from '../../schemas/subjects.js';
import { Appender, type Unsettled } from '../../journal/append/appender.js';
import type { Draft, Settle } from '../../journal/append/draft.js';
import { GROUPING } from '../../journal/append/grouping.js';
import type { SignedRequest } from './request.js';
import { overloaded } from '../serving/overloaded.js';
import { MAX_ACCOUNT_PRODUCERS } from '../serving/limits-in-force.js';

export interface OutsideProducersOptions {
  readonly nc: NatsConnection;
  readonly durability: Durability;
  /** Producers of one account whose epochs are held open. */
  readonly maxOpen?: (account: string) => number;
  /** A producer that sends nothing for so long may be forgotten, milliseconds: it then has to open another epoch. */
  readonly idleMs?: number;
}

const IDLE_MS = 60_000;
const RETRY_AFTER_MS = 1_000;
/**
 * Records of one producer that wait: a program that waits for its answers has no more on their way than it was told.
 */
const MAX_WAITING = 4 * SEND_WINDOW;

const invalid = (message: string): E.Either<Fault, never> => E.left(fault('HEADER_INVALID', message));

/** Which of its records a program says that it sends. Only a producer of the sender's own account is believed. */
export const claimOf = ({ sender, headers }: SignedRequest): E.Either<Fault, Identity> => {
  const text = headers[HEADER.id] ?? '';
  const id = parseIdentity(text);
  if (id === undefined || !id.producer.startsWith(`${sender}${OWNER_MARK}`)) {
    return invalid(
      `${HEADER.id} ${JSON.stringify(text.slice(0, 200))} names no producer of ${sender}; ` +
        'leave it out, or open a producer by producer.open',
    );
  }
  const expected: readonly (readonly [string, string])[] = [
    [HEADER.fenceSequence, String(id.epoch)],
    [HEADER.fenceSubject, epochSubject(id.producer)],
    [HEADER.schema, SCHEMA_VERSION],
  ];
  const wrong = expected.find(([name, value]) => headers[name] !== undefined && headers[name] !== value);
  return wrong === undefined
    ? E.right(id)
    : invalid(`${wrong[0]} of a record of ${text} can only be ${wrong[1]}, or be left out`);
};

/** An epoch is over for what its producer has on its way: whether any of it is stored, the log is to be asked. */
const closed = (producer: string, why: string): E.Either<Fault, never> =>
  E.left(fault('EPOCH_CLOSED', `${why}: ${producer} is to ask what is stored, and to open another epoch`));

/** One epoch of a program outside. Its records are stored in the order of their numbers, or not at all (I2). */
class OpenEpoch {
  #appender: Appender | undefined;
  #next = 1;
  #over = false;
  #retired = false;
  #waiting = 0;
  #usedAt = performance.now();

  constructor(
    private readonly options: OutsideProducersOptions,
    private readonly producer: string,
    readonly epoch: number,
  ) {}

  get isIdle(): boolean {
    return this.#waiting === 0;
  }

  /** How long it has done nothing, milliseconds; 0 while something of it is on its way, for ever where it is over. */
  get idleMs(): number {
    if (!this.isIdle) return 0;
    return this.#over ? Number.POSITIVE_INFINITY : performance.now() - this.#usedAt;
  }

  submit({ n }: Identity, draft: Draft, settle: Settle): void {
    this.#usedAt = performance.now();
    if (this.#over) return settle(closed(this.producer, `epoch ${this.epoch} is over`));
    if (n !== this.#next)
      return settle(closed(this.producer, `number ${n} came where ${this.#next} was next`));
    if (this.#waiting >= MAX_WAITING) {
      return settle(E.left(overloaded(`${MAX_WAITING} records of ${this.producer} wait, and no more may`)));
    }
    this.#appender ??= this.#open();
    this.#next += 1;
    this.#waiting += 1;
    this.#appender.submit(draft, (outcome) => {
      this.#waiting -= 1;
      // A record that the journal refuses for itself has taken no number.
      if (E.isLeft(outcome)) this.#over = true;
      settle(outcome);
      if (this.#retired && this.isIdle) this.#close();
    });
  }

  /** Another epoch has begun: what is on its way is still answered. */
  retire(): void {
    this.#retired = true;
    this.#over = true;
    if (this.isIdle) this.#close();
  }

  #open(): Appender {
    const { nc, durability } = this.options;
    const { producer, epoch } = this;
    const grouping = GROUPING[durability];
    return new Appender({ nc, producer, epoch, next: 1, grouping }, (reason, unsettled) =>
      this.#broken(reason, unsettled),
    );
  }

  #broken(reason: Fault, unsettled: readonly Unsettled[]): void {
    this.#over = true;
    for (const { settle } of unsettled) settle(closed(this.producer, reason.message));
  }

  #close(): void {
    this.#over = true;
    this.#appender?.close();
    this.#appender = undefined;
  }
}

/**
 * Producers in programs outside, as far as this broker has opened their epochs: it stores what they number, since no
 * other process outside gets at the headers that fence it. Which epochs were open is forgotten with the broker; their
 * producers then do what they do after any break.
 */
export class OutsideProducers {
  /** By account, in the order of their use. */
  readonly #accounts = new Map<string, Map<string, OpenEpoch>>();

  constructor(private readonly options: OutsideProducersOptions) {}

  /** From here on the producer's records are taken under this epoch, and no earlier one's. */
  opened(producer: string, epoch: number): void {
    const open = this.#of(producer);
    open.get(producer)?.retire();
    open.delete(producer);
    open.set(producer, new OpenEpoch(this.options, producer, epoch));
  }

  /**
   * Makes room for this producer among those of its account: one that is idle is forgotten for it. A fault where all
   * that the account may have are in use.
   */
  makeRoom(producer: string): Fault | undefined {
    const { idleMs = IDLE_MS } = this.options;
    const maxOpen = this.options.maxOpen?.(accountOf(producer)) ?? MAX_ACCOUNT_PRODUCERS;
    const open = this.#of(producer);
    if (open.has(producer) || open.size < maxOpen) return undefined;
    let longestMs = 0;
    for (const [name, epoch] of open) {
      longestMs = Math.max(longestMs, epoch.idleMs);
      if (epoch.idleMs < idleMs) continue;
      epoch.retire();
      open.delete(name);
      return undefined;
    }
    const retryAfterMs = Math.max(RETRY_AFTER_MS, Math.ceil(idleMs - longestMs));
    const text =
      `the account ${accountOf(producer)} has ${open.size} producers, and the account may have ${maxOpen} (limit producers); use one that you have, or ` +
      `try again in ${retryAfterMs} ms: one that sends nothing for ${idleMs / 1_000} s makes room`;
    return { ...fault('OVERLOADED', text), retryAfterMs };
  }

  /** How many are open, by account. */
  ofAccounts(): ReadonlyMap<string, number> {
    return new Map([...this.#accounts].map(([account, open]) => [account, open.size]));
  }

  submit(id: Identity, draft: Draft, settle: Settle): void {
    const { producer, epoch } = id;
    const all = this.#of(producer);
    const open = all.get(producer);
    if (open === undefined) return settle(closed(producer, `this broker has opened no epoch of ${producer}`));
    if (open.epoch > epoch) {
      return settle(E.left(fault('EPOCH_LOST', `${producer} has epoch ${open.epoch} since`)));
    }
    if (open.epoch < epoch) return settle(closed(producer, `this broker has not opened epoch ${epoch}`));
    all.delete(producer);
    all.set(producer, open);
    open.submit(id, draft, settle);
  }

  close(): void {
    for (const open of this.#accounts.values()) for (const epoch of open.values()) epoch.retire();
    this.#accounts.clear();
  }

  #of(producer: string): Map<string, OpenEpoch> {
    const account = accountOf(producer);
    const known = this.#accounts.get(account);
    if (known !== undefined) return known;
    const open = new Map<string, OpenEpoch>();
    this.#accounts.set(account, open);
    return open;
  }
}

const accountOf = (producer: string): string => producer.slice(0, producer.indexOf(OWNER_MARK));
