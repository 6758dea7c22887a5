import type { NatsConnection } from 'nats';
import { type Fault, FaultError, toFault } from '../../schemas/errors.js';
import { HEADER } from '../../schemas/headers.js';
import { conversationOf, type StoredMessage } from '../../schemas/record.js';
import { splitSubject } from '../../schemas/subjects.js';
import { firingOf } from '../schedules/firing.js';
import { readLog } from '../journal/reader.js';
import type { ConversationTable } from './conversation-table.js';
import { IndexContents } from './index-contents.js';
import { IndexKeeper, type Place } from './index-keeper.js';
import { type OpenCommand, OpenCommands } from './open-commands.js';
import { Recent } from './recent.js';
import type { Redrives } from './redrives.js';
import { UncausedEvents } from './uncaused-events.js';

export interface LogIndexOptions {
  readonly nc: NatsConnection;
  readonly dir: string;
  /** Identity of the log: an index of another log is thrown away. */
  readonly logId: string;
  readonly lastSeq: number;
  /**
   * A command is open: in their order, those that are when the index has caught up with where the log stood at its start,
   * then each as it comes.
   */
  readonly onCommand: (command: OpenCommand) => void;
  /** A command was answered, by the result at this sequence. */
  readonly onResult: (command: OpenCommand, resultSeq: number) => void;
  /** A command was answered as one that could not be handled; told again after a restart until {@link keepFrom} is past it. */
  readonly onDead?: (command: OpenCommand, result: StoredMessage) => void;
  /** The lowest command that is to be read again after a restart, beside those that are open. */
  readonly keepFrom?: () => number | undefined;
  /** A record was read: from the first on, the next one in the log each time. */
  readonly onRecord?: (seq: number) => void;
  /** Something to tell of that the index lives with. */
  readonly say: (text: string) => void;
  /** The log cannot be read any further: without it the broker would answer wrongly, so it must stop. */
  readonly onLost: (fault: Fault) => void;
}

/** Results kept in memory by their command, for callers that come to ask just after: about 4 MB. */
const RECENT_RESULTS = 65_536;

/** The broker ends when the log does not answer for so long; a connection that is dead has been given up long before. */
const PATIENCE_MS = 60_000;

/**
 * Reads the whole log, headers only, in order, and keeps what the broker asks of it: agents, open commands, open
 * conversations, who was answered where, and where events lie that nothing caused. It follows the log for as long as the broker lives.
 */
export class LogIndex {
  readonly commands = new OpenCommands();
  readonly #contents: IndexContents;
  readonly #keeper: IndexKeeper;
  readonly #recent = new Recent<number>(RECENT_RESULTS);
  readonly #uncaused = new UncausedEvents();
  readonly #stop = new AbortController();
  readonly #target: number;
  #position = 0;
  /** The conversations have all records up to here already, when reading begins. */
  #keptTo = 0;
  #discarded = false;
  #isLive = false;
  #waiters: { seq: number; resume: () => void }[] = [];
  #lost: Fault | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(private readonly options: LogIndexOptions) {
    const { dir, logId, lastSeq, say } = options;
    this.#contents = new IndexContents(
      (schedule) => this.#keeper.lastFiring(schedule),
      () => this.#keeper.soon(),
    );
    const position = (): Place => ({
      seq: this.#stands,
      resumeFrom: this.#resumeFrom,
      uncaused: this.#uncaused.stretches,
    });
    this.#keeper = new IndexKeeper({ dir, logId, lastSeq, contents: this.#contents, position, say });
    this.#target = lastSeq;
  }

  /** Opens the files, reads up to where the log stood, then goes on in the background. */
  async start(): Promise<void> {
    const { seq, resumeFrom, uncaused, discarded } = await this.#keeper.open();
    this.#uncaused.load(uncaused);
    this.#discarded = discarded;
    this.#keptTo = seq;
    this.#position = resumeFrom - 1;
    this.#running = this.#run();
    await Promise.race([this.reached(this.#target), this.#running]);
    if (this.#lost !== undefined) throw new FaultError(this.#lost);
    this.#tellOpen();
  }

  get conversations(): ConversationTable {
    return this.#contents.conversations;
  }

  get redrives(): Redrives {
    return this.#contents.redrives;
  }

  get agents(): number {
    return this.#contents.agents;
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

  /** The same for a sequence that somebody else names, which may never come: whether it was reached in time. */
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
    return this.#contents.lastFiring(schedule);
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    await this.#keeper.close();
  }

  async #run(): Promise<void> {
    const { nc, onLost } = this.options;
    try {
      const records = readLog(nc, {
        fromSeq: this.#position + 1,
        follow: true,
        headersOnly: true,
        patienceMs: PATIENCE_MS,
        signal: this.#stop.signal,
      });
      for await (const message of records) this.#add(message);
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      this.#lost = toFault(error);
      onLost(this.#lost);
    }
  }

  /** Tells of the commands that were open when the index caught up; before any that comes later (I5). */
  #tellOpen(): void {
    if (this.#isLive) return;
    this.#isLive = true;
    for (const command of this.commands.all()) this.options.onCommand(command);
  }

  #add(message: StoredMessage): void {
    const subject = splitSubject(message.subject);
    const isLive = message.seq > this.#target;
    if (isLive) this.#tellOpen();
    const { conversations } = this;
    // Of what is read again for the commands that are open, the conversations know already.
    const isNew = message.seq > this.#keptTo;
    if (subject?.kind === 'cmd') {
      const firing = firingOf(subject.sender, (name) => message.header(name));
      if (firing !== undefined) this.#contents.fired(firing.schedule, firing.nextMs);
      const command = this.commands.command(message, subject);
      if (isNew) conversations.command(message, subject, command.conversation);
      this.redrives.command(message);
      if (isLive) this.options.onCommand(command);
    } else if (subject?.kind === 'res') {
      const command = this.commands.result(message, subject);
      if (command !== undefined) {
        if (isNew) conversations.result(message, command.conversation);
        this.#answered(message, command);
      }
    } else if (subject?.kind === 'evt') {
      if (subject.agent !== undefined) this.#contents.addAgent(subject.module, subject.agent);
      this.#uncaused.event(subject.module, message);
      if (isNew && conversations.size > 0) conversations.event(message, conversationOf(message));
    }
    this.#position = message.seq;
    this.options.onRecord?.(message.seq);
    if (this.#waiters.length > 0) this.#wake();
  }

  #answered(result: StoredMessage, command: OpenCommand): void {
    this.#recent.set(command.seq, result.seq);
    this.redrives.answered(command.seq, result.seq);
    if (result.header(HEADER.dead) !== undefined) this.options.onDead?.(command, result);
    this.options.onResult(command, result.seq);
  }

  #wake(): void {
    const waiting = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiting) {
      if (waiter.seq <= this.#position) waiter.resume();
      else this.#waiters.push(waiter);
    }
  }

  /** Where what is kept stands: while commands are read again that were open then, where it stood before. */
  get #stands(): number {
    return Math.max(this.#position, this.#keptTo);
  }

  get #resumeFrom(): number {
    return Math.min(
      this.commands.lowest() ?? this.#position + 1,
      this.options.keepFrom?.() ?? Number.POSITIVE_INFINITY,
    );
  }
}
