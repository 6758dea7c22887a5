import * as E from 'fp-ts/lib/Either.js';
import type { NatsConnection } from 'nats';
import { type Fault, fault } from '../../schemas/errors.js';
import { HEADER, SCHEMA_VERSION } from '../../schemas/headers.js';
import { type Identity, parseIdentity } from '../../schemas/identity.js';
import type { Durability } from '../../schemas/log.js';
import { OWNER_MARK } from '../../schemas/names.js';
import { SEND_WINDOW } from '../../schemas/producer.js';
import { epochSubject } from '../../schemas/subjects.js';
import { Appender, type Unsettled } from '../journal/appender.js';
import type { Draft, Settle } from '../journal/draft.js';
import { GROUPING } from '../journal/grouping.js';
import type { SignedRequest } from './request.js';

export interface OutsideProducersOptions {
  readonly nc: NatsConnection;
  readonly durability: Durability;
  /** Producers whose epochs are held open; above it the one that was idle for longest has to open another. */
  readonly maxOpen?: number;
}

const MAX_OPEN = 1_000;
/** Records of one producer that wait: a program that waits for its answers has no more on their way than it was told. */
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

  constructor(
    private readonly options: OutsideProducersOptions,
    private readonly producer: string,
    readonly epoch: number,
  ) {}

  get isIdle(): boolean {
    return this.#waiting === 0;
  }

  submit({ n }: Identity, draft: Draft, settle: Settle): void {
    if (this.#over) return settle(closed(this.producer, `epoch ${this.epoch} is over`));
    if (n !== this.#next)
      return settle(closed(this.producer, `number ${n} came where ${this.#next} was next`));
    if (this.#waiting >= MAX_WAITING) {
      return settle(E.left(fault('OVERLOADED', `${this.#waiting} records of ${this.producer} wait`)));
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
 * Producers in programs outside, as far as this broker has opened their epochs: it stores what they number, since nobody
 * outside gets at the headers that fence it. Which epochs were open is forgotten with the broker; their producers then do what
 * they do after any break.
 */
export class OutsideProducers {
  /** In the order of their use. */
  readonly #open = new Map<string, OpenEpoch>();

  constructor(private readonly options: OutsideProducersOptions) {}

  /** From here on the producer's records are taken under this epoch, and no earlier one's. */
  opened(producer: string, epoch: number): void {
    this.#open.get(producer)?.retire();
    this.#open.delete(producer);
    this.#open.set(producer, new OpenEpoch(this.options, producer, epoch));
    this.#shrink();
  }

  submit(id: Identity, draft: Draft, settle: Settle): void {
    const { producer, epoch } = id;
    const open = this.#open.get(producer);
    if (open === undefined) return settle(closed(producer, `this broker has opened no epoch of ${producer}`));
    if (open.epoch > epoch) {
      return settle(E.left(fault('EPOCH_LOST', `${producer} has epoch ${open.epoch} since`)));
    }
    if (open.epoch < epoch) return settle(closed(producer, `this broker has not opened epoch ${epoch}`));
    this.#open.delete(producer);
    this.#open.set(producer, open);
    open.submit(id, draft, settle);
  }

  close(): void {
    for (const open of this.#open.values()) open.retire();
    this.#open.clear();
  }

  #shrink(): void {
    const { maxOpen = MAX_OPEN } = this.options;
    for (const [producer, open] of this.#open) {
      if (this.#open.size <= maxOpen) return;
      if (!open.isIdle) continue;
      open.retire();
      this.#open.delete(producer);
    }
  }
}
