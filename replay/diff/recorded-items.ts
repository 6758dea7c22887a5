import { isLeft } from 'fp-ts/lib/Either.js';
import { type FilterRange, readMerged } from '../../journal/read/read-merged.js';
import type { LogApi } from '../../journal/read/reader-api.js';
import { recordsAt } from '../../journal/read/records-at.js';
import { FaultError } from '../../schemas/errors.js';
import { HEADER } from '../../schemas/headers.js';
import { causeOf, type StoredMessage } from '../../schemas/record.js';
import { type LogSubject, splitSubject } from '../../schemas/subjects.js';
import { parseSequence } from '../../schemas/identity.js';
import { parseKept } from '../../schemas/restart.js';
import { CallResults } from './call-results.js';
import { type Item, plainRecord } from './runner-messages.js';

export interface ItemRange {
  readonly api: LogApi;
  readonly module: string;
  /** Only this agent's; `''` is the module itself. */
  readonly agent: string | undefined;
  /** First and last command that is handled again. */
  readonly fromSeq: number;
  readonly toSeq: number;
  /** Where the log ends. */
  readonly lastSeq: number;
}

/** Items, and how far in the log they go. */
export interface ItemBatch {
  readonly items: readonly Item[];
  readonly seq: number;
}

/** Commands that wait for their result in memory; of more, only the sequence. */
const MAX_HELD = 10_000;

type Owned = Exclude<LogSubject, { readonly kind: 'epoch' }>;

/** Modules that handlers of this one called. */
const callees = async ({ api, module, lastSeq }: ItemRange): Promise<ReadonlySet<string>> => {
  const found = new Set<string>();
  const options = { toSeq: lastSeq, apiPrefix: api.prefix };
  for await (const batch of readMerged(api.nc, parts(sentBy(module)), options)) {
    for (const message of batch) {
      const subject = splitSubject(message.subject);
      if (subject?.kind === 'cmd' && message.header(HEADER.call) !== undefined) found.add(subject.module);
    }
  }
  return found;
};

const parts = (filters: readonly string[]): readonly FilterRange[] => filters.map((filter) => ({ filter }));

const sentBy = (module: string): readonly string[] => [`cmd.*.*.${module}`, `cmd.*.*.*.${module}`];

/** One filter for each kind of record, since a reader for each is much faster than one for several. */
const filtersOf = (range: ItemRange, called: ReadonlySet<string>): readonly string[] => {
  const { module, agent } = range;
  const own = agent === undefined ? `${module}.>` : agent === '' ? `${module}.*` : `${module}.*.${agent}`;
  const commands = agent === undefined ? own : `${own}.*`;
  if (called.size === 0) return [`cmd.${commands}`, `res.${own}`, `evt.${own}`, `step.${own}`, `wake.${own}`];
  // Calls of whichever agent: those of others must be seen to be answered, or they would be kept for ever.
  const others = [...called].filter((name) => name !== module).map((name) => `res.${name}.>`);
  return [
    `cmd.${commands}`,
    `res.${module}.>`,
    `evt.${own}`,
    `step.${own}`,
    `wake.${own}`,
    ...sentBy(module),
    ...others,
  ];
};

/** The commands that wait for their result. */
class ItemsInHand {
  readonly #open = new Map<number, StoredMessage | undefined>();

  constructor(private readonly api: LogApi) {}

  get size(): number {
    return this.#open.size;
  }

  add(message: StoredMessage): void {
    this.#open.set(message.seq, this.#open.size < MAX_HELD ? message : undefined);
  }

  async take(seq: number): Promise<StoredMessage | undefined> {
    const held = this.#open.get(seq);
    const known = this.#open.delete(seq);
    if (held !== undefined || !known) return held;
    const found = await recordsAt(this.api, [seq])();
    if (isLeft(found)) throw new FaultError(found.left);
    return found.right[0];
  }
}

/** Goes through the records of one module and makes of them what its code is given. */
class RecordedModule {
  readonly #calls = new CallResults();
  readonly open: ItemsInHand;
  #seq = 0;

  constructor(private readonly range: ItemRange) {
    this.open = new ItemsInHand(range.api);
  }

  /** The item of the next record; undefined where it is none. */
  async item(message: StoredMessage): Promise<Item | undefined> {
    // A command of the module to itself comes by two filters.
    if (message.seq <= this.#seq) return undefined;
    this.#seq = message.seq;
    const subject = splitSubject(message.subject);
    if (subject === undefined || subject.kind === 'epoch' || subject.kind === 'cancel') return undefined;
    if (subject.kind === 'restart') return undefined;
    if (subject.kind === 'cmd') return this.#command(message, subject);
    if (subject.kind === 'step') {
      this.#calls.stepped(message);
      return undefined;
    }
    if (subject.kind === 'wake') {
      this.#calls.woken(message);
      return undefined;
    }
    if (subject.kind === 'res') this.#calls.answered(message);
    return subject.module === this.range.module ? this.#own(message, subject) : undefined;
  }

  async #command(message: StoredMessage, subject: Owned & { readonly kind: 'cmd' }): Promise<undefined> {
    const { module, fromSeq, toSeq } = this.range;
    if (subject.sender === module) this.#calls.sent(message);
    const wanted = subject.module === module && this.#isWanted(subject);
    if (wanted && message.seq >= fromSeq && message.seq <= toSeq) {
      this.open.add(message);
      await this.#keep(message);
    }
  }

  /** A restarted command has operations of the one before it. */
  async #keep(command: StoredMessage): Promise<void> {
    const seq = parseSequence(command.header(HEADER.restart) ?? '');
    if (seq === undefined || seq >= command.seq) return;
    const [restart] = await this.#at([seq]);
    const kept = parseKept(restart?.header(HEADER.kept)) ?? [];
    // The broker has restarted the command before as this one.
    const isRestart = restart?.subject.startsWith('restart.') === true;
    if (!isRestart || command.header(HEADER.redrives) !== restart.header(HEADER.cause)) return;
    const ends = kept.flatMap(({ seq: from, end }) => (from === end ? [from] : [from, end]));
    for (const record of await this.#at(ends)) {
      const kind = splitSubject(record.subject)?.kind;
      if (kind === 'cmd') this.#calls.sent(record, command.seq);
      else if (kind === 'step') this.#calls.stepped(record, command.seq);
      else if (kind === 'wake') this.#calls.woken(record, command.seq);
      else if (kind === 'res') this.#calls.answered(record);
    }
  }

  async #at(seqs: readonly number[]): Promise<readonly StoredMessage[]> {
    if (seqs.length === 0) return [];
    const found = await recordsAt(this.range.api, seqs)();
    if (isLeft(found)) throw new FaultError(found.left);
    return found.right;
  }

  async #own(message: StoredMessage, subject: Owned): Promise<Item | undefined> {
    const cause = causeOf(message);
    // A copy of what a result holds.
    if (subject.kind === 'evt' && cause !== undefined) return undefined;
    const calls = cause === undefined ? [] : this.#calls.take(cause);
    if (!this.#isWanted(subject)) return undefined;
    const item: Item = { record: plainRecord(message), agent: subject.agent ?? '' };
    if (subject.kind !== 'res' || cause === undefined) return item;
    const command = await this.open.take(cause);
    // Cancelled before its handler began: no code decided it.
    const isUnbegun = message.header(HEADER.cancelled) !== undefined && calls.length === 0;
    return command === undefined || isUnbegun
      ? item
      : { ...item, again: { command: plainRecord(command), calls } };
  }

  #isWanted({ agent = '' }: Owned): boolean {
    return this.range.agent === undefined || this.range.agent === agent;
  }
}

/**
 * What a module's code is given to handle its past again: every result and every event that nothing caused, from the
 * first record on, and with the results of the range the commands and the calls behind them. Ends when every command
 * of the range is answered, or with the log. Returns how many commands of it are not. Throws {@link FaultError}.
 */
export async function* recordedItems(range: ItemRange): AsyncGenerator<ItemBatch, number, void> {
  const { api, fromSeq, toSeq, lastSeq } = range;
  if (fromSeq > toSeq) return 0;
  const recorded = new RecordedModule(range);
  const filters = filtersOf(range, await callees(range));
  const options = { fromSeq: 1, toSeq: lastSeq, apiPrefix: api.prefix };
  for await (const batch of readMerged(api.nc, parts(filters), options)) {
    const items: Item[] = [];
    for (const message of batch) {
      if (message.seq > toSeq && recorded.open.size === 0) {
        yield { items, seq: message.seq };
        return 0;
      }
      const item = await recorded.item(message);
      if (item !== undefined) items.push(item);
    }
    yield { items, seq: batch.at(-1)?.seq ?? 0 };
  }
  return recorded.open.size;
}
