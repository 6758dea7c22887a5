import type { NatsConnection } from 'nats';
import { type Fault, FaultError, toFault } from '../../schemas/errors.js';
import { HEADER } from '../../schemas/headers.js';
import { causeOf, conversationOf, type StoredMessage } from '../../schemas/record.js';
import { WAITS_SENDER } from '../../schemas/wake.js';
import { parseIdentity } from '../../schemas/identity.js';
import { type Address, splitSubject } from '../../schemas/subjects.js';
import { firingOf } from '../../schemas/firing.js';
import { type CancelledCommand, childrenIn } from '../../schemas/cancel.js';
import { Announcer, type Announces } from '../../system/async/announcer.js';
import type { BrokerReader } from '../reader/broker-reader.js';
import { bytesInLog } from '../../journal/wire/stored-message.js';
import { OWNER_MARK } from '../../schemas/names.js';
import type { AccountTotals } from './account-totals.js';
import type { CancelledCommands } from './cancelled-commands.js';
import type { CommandKeys } from './command-keys.js';
import type { ConversationTable } from './conversation-table.js';
import type { DueLetters } from './due-letters.js';
import { IndexContents } from './index-contents.js';
import { IndexFeed } from './index-feed.js';
import { IndexKeeper, type IndexProgress } from './index-keeper.js';
import { KeptRows } from './kept-rows.js';
import { type OpenCommand, type OpenCommands, waitsAs } from './open-commands.js';
import { Recent } from './recent.js';
import type { SignalAddress } from '../../schemas/signal.js';
import type { KeptSignals } from './kept-signals.js';
import type { OpenWaits } from './open-waits.js';
import type { Redrives } from './redrives.js';
import type { Restarts } from './restarts.js';
import { UncausedEvents } from '../../store/log-index/uncaused-events.js';
import type { WholeOutcomes } from './whole-outcomes.js';

export interface LogIndexOptions {
  readonly nc: NatsConnection;
  /** Brings what is stored from now on. What was stored before, the index reads itself. */
  readonly reader: Pick<BrokerReader, 'on' | 'position'>;
  readonly dir: string;
  /** Identity of the log: an index of another log is thrown away. */
  readonly logId: string;
  readonly lastSeq: number;
  /** Something to tell of that the index lives with. */
  readonly say: (text: string) => void;
  /** The log cannot be read any further: without it the broker would answer wrongly, so it must stop. */
  readonly onLost: (fault: Fault) => void;
}

const isWait = (message: StoredMessage): boolean =>
  [HEADER.until, HEADER.signal, HEADER.promise].some((name) => message.header(name) !== undefined);

/** What the index announces, in the order of the log. */
export type IndexNews = {
  /** The index has come to where the log stood at its start: {@link LogIndex.commands} has what was open then. */
  readonly caughtUp: [];
  /** A command came, behind that place. */
  readonly command: [command: OpenCommand, isFiring: boolean];
  /** A command has its result, at this sequence. */
  readonly result: [command: OpenCommand, resultSeq: number];
  /** An open command was cancelled, behind that place. */
  readonly cancelled: [command: OpenCommand, cancelled: CancelledCommand];
  /** Dead letters are due, see {@link LogIndex.letters}. */
  readonly dead: [];
  /** A handler waits, see {@link LogIndex.waits}. */
  readonly wait: [command: number];
  /** An agent has a signal, see {@link LogIndex.signals}. */
  readonly signal: [address: SignalAddress];
  /** A handler that waited is woken, by the record of this sequence. */
  readonly woken: [command: OpenCommand, wakeSeq: number];
  /** A record was read: from the first on, the next one in the log each time. */
  readonly record: [seq: number];
  /** A module stored a record without an identity, behind that place. */
  readonly unsigned: [module: string, bytes: number, timeMs: number];
};

/** Results kept in memory by their command, for callers that come to ask just after: about 4 MB. */
const RECENT_RESULTS = 65_536;

/**
 * Takes the headers of the whole log, in order, and keeps what the broker asks of it: agents, open commands, open
 * conversations, who was answered where, and where events lie that nothing caused. It follows the log for as long as
 * the broker lives.
 */
export class LogIndex implements Announces<IndexNews> {
  readonly #news: Announcer<IndexNews>;
  readonly #contents: IndexContents;
  readonly #keeper: IndexKeeper;
  readonly #feed: IndexFeed;
  readonly #recent = new Recent<number>(RECENT_RESULTS);
  readonly #uncaused = new UncausedEvents();
  readonly #stop = new AbortController();
  readonly #target: number;
  #position = 0;
  #discarded = false;
  #isLive = false;
  #waiters: { seq: number; resume: () => void }[] = [];
  #lost: Fault | undefined;
  /**
   * What a listener threw first. Nobody knows what it left undone, so the broker stops, and the next start does all
   * of it.
   */
  #thrown: { readonly thrown: unknown } | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(private readonly options: LogIndexOptions) {
    const { dir, logId, lastSeq, say } = options;
    this.#news = new Announcer((name, thrown) => {
      const text = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
      say(`a listener for "${name}" threw: ${text}`);
      this.#thrown ??= { thrown };
    });
    const rows = new KeptRows(dir);
    this.#contents = new IndexContents(rows);
    const position = (): IndexProgress => ({ seq: this.#position, uncaused: this.#uncaused.stretches });
    this.#keeper = new IndexKeeper({ dir, logId, lastSeq, contents: this.#contents, rows, position, say });
    this.#target = lastSeq;
    this.#feed = new IndexFeed({
      nc: options.nc,
      reader: options.reader,
      position: () => this.#position,
      take: (record) => this.#take(record),
      isFull: () => this.#contents.isFull,
      room: () => this.#keeper.room(),
      signal: this.#stop.signal,
    });
  }

  /** Listens to what the index reads; a listener from before {@link start} misses nothing. */
  on<K extends keyof IndexNews>(name: K, listener: (...what: IndexNews[K]) => void): () => void {
    return this.#news.on(name, listener);
  }

  /** Opens the files, reads up to where the log stood, then continues in the background. */
  async start(): Promise<void> {
    const { seq, uncaused, discarded } = await this.#keeper.open();
    this.#uncaused.load(uncaused);
    this.#discarded = discarded;
    this.#position = seq;
    this.#running = this.#run();
    await Promise.race([this.reached(this.#target), this.#running]);
    if (this.#lost !== undefined) throw new FaultError(this.#lost);
    this.#caughtUp();
    this.#checkListeners();
  }

  get commands(): OpenCommands {
    return this.#contents.commands;
  }

  get conversations(): ConversationTable {
    return this.#contents.conversations;
  }

  get redrives(): Redrives {
    return this.#contents.redrives;
  }

  /** Commands that were restarted. */
  get restarts(): Restarts {
    return this.#contents.restarts;
  }

  /** Commands that were cancelled, and have no result. */
  get cancelled(): CancelledCommands {
    return this.#contents.cancelled;
  }

  /** The commands that senders' keys name. */
  get keys(): CommandKeys {
    return this.#contents.keys;
  }

  /** Waits of handlers that are not woken. */
  get waits(): OpenWaits {
    return this.#contents.waits;
  }

  /** Signals that no wake has taken, and the waits for them. */
  get signals(): KeptSignals {
    return this.#contents.signals;
  }

  /** Dead letters that are due. */
  get letters(): DueLetters {
    return this.#contents.letters;
  }

  /** Up to where outcomes have their copies. */
  get whole(): WholeOutcomes {
    return this.#contents.whole;
  }

  /** What each account has in the log. */
  get accounts(): AccountTotals {
    return this.#contents.accounts;
  }

  get agents(): number {
    return this.#contents.agents.size;
  }

  /** The highest sequence that was read. */
  get position(): number {
    return this.#position;
  }

  /** Whether what an earlier broker left was of another log, or ahead of this one (I9). */
  get discarded(): boolean {
    return this.#discarded;
  }

  /** Resolves once the record at this sequence has been read. */
  reached(seq: number): Promise<void> {
    if (this.#position >= seq) return Promise.resolve();
    return new Promise((resume) => this.#waiters.push({ seq, resume }));
  }

  /** The same for a sequence from outside, which may never come: whether it was reached in time. */
  async reachedWithin(seq: number, ms: number): Promise<boolean> {
    if (this.#position >= seq) return true;
    let timer: NodeJS.Timeout | undefined;
    let waiter: (() => void) | undefined;
    const reached = await new Promise<boolean>((resolve) => {
      waiter = () => resolve(true);
      this.#waiters.push({ seq, resume: waiter });
      timer = setTimeout(() => resolve(false), ms);
    });
    clearTimeout(timer);
    if (!reached) this.#waiters = this.#waiters.filter(({ resume }) => resume !== waiter);
    return reached;
  }

  /** The sequence of the result of a command that was answered a moment ago. */
  recentResult(command: number): number | undefined {
    return this.#recent.get(command);
  }

  /** The due time behind the last firing of a schedule that the log has; the schedule as {@link firingOf} names it. */
  lastFiring(schedule: string): number | undefined {
    return this.#contents.fired.last(schedule);
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    await this.#keeper.close();
  }

  async #run(): Promise<void> {
    try {
      await this.#feed.run();
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      this.#lost = toFault(error);
      this.options.onLost(this.#lost);
    }
  }

  #take(record: StoredMessage): void {
    this.#add(record);
    this.#keeper.moved();
    this.#checkListeners();
  }

  #checkListeners(): void {
    if (this.#thrown !== undefined) throw this.#thrown.thrown;
  }

  /** Told once, before any command that comes later (I5). */
  #caughtUp(): void {
    if (this.#isLive) return;
    this.#isLive = true;
    this.#news.announce('caughtUp');
  }

  #add(message: StoredMessage): void {
    const text = message.subject;
    const subject = splitSubject(text);
    const isLive = message.seq > this.#target;
    if (isLive) this.#caughtUp();
    const { commands, conversations, redrives, restarts, keys, agents, fired, whole, accounts } =
      this.#contents;
    if (subject?.kind === 'cmd') {
      this.#contents.weigh(text.length);
      whole.record(subject.sender, message.seq);
      const firing = firingOf(subject.sender, (name) => message.header(name));
      if (firing !== undefined) fired.fired(firing.schedule, firing.nextMs);
      this.#unlessSigned(subject.sender, message, isLive);
      const command = commands.command(message, subject);
      accounts.stored(subject.sender, bytesInLog(message));
      accounts.opened(subject.sender);
      conversations.command(message, subject, command.conversation);
      redrives.command(message);
      const kept = restarts.command(message, subject);
      if (kept !== undefined) commands.keep(command.seq, kept);
      if (command.keyed !== null) keys.command(message, command.keyed);
      if (isLive) this.#news.announce('command', command, firing !== undefined);
    } else if (subject?.kind === 'res') {
      const { module } = subject;
      const isOwn = (): boolean => parseIdentity(message.header(HEADER.id) ?? '')?.producer === module;
      whole.result(module, message.seq, isOwn);
      accounts.stored(module, bytesInLog(message));
      this.#unlessSigned(module, message, isLive);
      const command = commands.result(message, subject);
      if (command !== undefined) {
        if (command.cancel !== 0) this.#contents.cancelled.answered(waitsAs(command), command.seq);
        accounts.ended(command.sender);
        conversations.result(message, command.conversation);
        this.#answered(message, command);
      }
    } else if (subject?.kind === 'evt') {
      whole.event(subject.module, message.seq);
      accounts.stored(subject.module, bytesInLog(message));
      this.#unlessSigned(subject.module, message, isLive);
      if (subject.agent !== undefined) agents.add(subject.module, subject.agent);
      this.#uncaused.event(subject.module, message);
      if (conversations.size > 0) conversations.event(message, conversationOf(message));
    } else if (subject?.kind === 'step') {
      whole.record(subject.module, message.seq);
      accounts.stored(subject.module, bytesInLog(message));
      this.#unlessSigned(subject.module, message, isLive);
      commands.step(message, subject);
      if (message.header(HEADER.cancelled) !== undefined) commands.metCancel(message);
      if (isWait(message)) this.#news.announce('wait', causeOf(message) ?? 0);
      if (conversations.size > 0) conversations.event(message, conversationOf(message));
    } else if (subject?.kind === 'wake') {
      whole.record(WAITS_SENDER, message.seq);
      accounts.stored(WAITS_SENDER, bytesInLog(message));
      if (message.header(HEADER.cancelled) !== undefined) commands.metCancel(message);
      const woken = commands.woken(message, subject) ? commands.get(causeOf(message) as number) : undefined;
      if (conversations.size > 0) conversations.event(message, conversationOf(message));
      if (woken !== undefined) this.#news.announce('woken', woken, message.seq);
    } else if (subject?.kind === 'cancel') {
      this.#cancelled(message, subject, isLive);
    } else if (subject?.kind === 'restart') {
      restarts.restarted(message, subject);
      if (conversations.size > 0) conversations.event(message, conversationOf(message));
    } else if (subject?.kind === 'signal') {
      whole.record(WAITS_SENDER, message.seq);
      accounts.stored(WAITS_SENDER, bytesInLog(message));
      const { module, name, agent = '' } = subject;
      this.#contents.signals.sent({ module, agent, name }, message.seq);
      this.#news.announce('signal', { module, agent, name });
    } else if (subject?.kind === 'epoch') {
      whole.epoch(subject.producer);
      const [account = ''] = subject.producer.split(OWNER_MARK, 1);
      accounts.stored(account, bytesInLog(message));
    }
    this.#position = message.seq;
    this.#news.announce('record', message.seq);
    if (this.#waiters.length > 0) this.#wake();
  }

  #unlessSigned(account: string, message: StoredMessage, isLive: boolean): void {
    if (!isLive || message.header(HEADER.id) !== undefined) return;
    this.#news.announce('unsigned', account, message.data.length, message.timeMs);
  }

  #cancelled(message: StoredMessage, subject: Address, isLive: boolean): void {
    const { commands, cancelled, conversations } = this.#contents;
    const command = commands.cancel(message, subject);
    if (conversations.size > 0) conversations.event(message, conversationOf(message));
    if (command === undefined) return;
    const children = childrenIn(message.header(HEADER.children));
    const noted = {
      command: command.seq,
      cancel: message.seq,
      ...(children.length === 0 ? {} : { children }),
    };
    cancelled.add(waitsAs(command), noted);
    if (isLive) this.#news.announce('cancelled', command, noted);
  }

  #answered(result: StoredMessage, command: OpenCommand): void {
    this.#recent.set(command.seq, result.seq);
    this.redrives.answered(command.seq, result.seq);
    if (command.keyed !== null) this.keys.answered(command.keyed, command.seq, result.seq);
    if (result.header(HEADER.dead) !== undefined) {
      this.letters.add(command, result);
      this.#news.announce('dead');
    }
    this.#news.announce('result', command, result.seq);
  }

  #wake(): void {
    const waiting = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiting) {
      if (waiter.seq <= this.#position) waiter.resume();
      else this.#waiters.push(waiter);
    }
  }
}
