import type { NatsConnection } from 'nats';
import { type Fault, FaultError, fault, toFault } from '../../schemas/errors.js';
import { HEADER } from '../../schemas/headers.js';
import type { StoredMessage } from '../../schemas/record.js';
import { splitSubject } from '../../schemas/subjects.js';
import { failPoint } from '../journal/fail-point.js';
import { firingOf } from '../schedules/firing.js';
import { readLog } from '../journal/reader.js';
import { AgentIndex } from './agent-index.js';
import { type OpenCommand, OpenCommands } from './open-commands.js';
import type { Redrives } from './redrives.js';

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
  /** Something to tell of that the index lives with. */
  readonly onFault: (fault: Fault) => void;
  /** The log cannot be read any further: without it the broker would answer wrongly, so it must stop. */
  readonly onLost: (fault: Fault) => void;
}

/** Results kept in memory by their command, for callers that come to ask just after: about 4 MB. */
const RECENT_RESULTS = 65_536;
const SAVE_INTERVAL_MS = 500;

/**
 * Reads the whole log, headers only, in order, and keeps what the broker asks of it: agents, open commands, open
 * conversations, and who was answered where. It follows the log for as long as the broker lives.
 */
export class LogIndex {
  readonly commands = new OpenCommands();
  readonly #agents: AgentIndex;
  readonly #recent = new Map<number, number>();
  readonly #stop = new AbortController();
  readonly #target: number;
  #position: number;
  #isLive = false;
  #saved: number;
  #waiters: { seq: number; resume: () => void }[] = [];
  #lost: Fault | undefined;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(private readonly options: LogIndexOptions) {
    this.#agents = new AgentIndex(options.dir, options.logId, options.lastSeq, (reason) =>
      options.onFault(fault('DATA_DIR_UNUSABLE', reason)),
    );
    this.#position = this.#agents.resumeFrom - 1;
    this.#saved = this.#agents.resumeFrom;
    this.#target = options.lastSeq;
  }

  /** Reads up to where the log stood, then goes on in the background. */
  async start(): Promise<void> {
    this.#running = this.#run();
    this.#timer = setInterval(() => void this.#save(), SAVE_INTERVAL_MS).unref();
    await Promise.race([this.reached(this.#target), this.#running]);
    if (this.#lost !== undefined) throw new FaultError(this.#lost);
    this.#tellOpen();
  }

  get redrives(): Redrives {
    return this.#agents.redrives;
  }

  get agents(): number {
    return this.#agents.size;
  }

  /** The highest sequence that was read. */
  get position(): number {
    return this.#position;
  }

  /** Whether what an earlier broker left was of another log, or ahead of this one (I9). */
  get discarded(): boolean {
    return this.#agents.discarded;
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
    return this.#agents.lastFiring(schedule);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#stop.abort();
    await this.#running;
    await this.#save();
    await this.#agents.close();
  }

  async #run(): Promise<void> {
    const { nc, onLost } = this.options;
    try {
      const records = readLog(nc, {
        fromSeq: this.#position + 1,
        follow: true,
        headersOnly: true,
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
    const live = message.seq > this.#target;
    if (live) this.#tellOpen();
    if (subject?.kind === 'cmd') {
      const firing = firingOf(subject.sender, (name) => message.header(name));
      if (firing !== undefined) this.#agents.fired(firing.schedule, firing.nextMs);
      const command = this.commands.command(message, subject);
      this.redrives.command(message);
      if (live) this.options.onCommand(command);
    } else if (subject?.kind === 'res') {
      const command = this.commands.result(message, subject);
      if (command !== undefined) {
        this.#recent.set(command.seq, message.seq);
        if (this.#recent.size > RECENT_RESULTS)
          this.#recent.delete(this.#recent.keys().next().value as number);
        this.redrives.answered(command.seq, message.seq);
        if (message.header(HEADER.dead) !== undefined) this.options.onDead?.(command, message);
        this.options.onResult(command, message.seq);
      }
    } else if (subject?.kind === 'evt' && subject.agent !== undefined) {
      this.#agents.add(subject.module, subject.agent);
    }
    this.#position = message.seq;
    if (this.#waiters.length > 0) this.#wake();
  }

  #wake(): void {
    const waiting = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiting) {
      if (waiter.seq <= this.#position) waiter.resume();
      else this.#waiters.push(waiter);
    }
  }

  async #save(): Promise<void> {
    const resumeFrom = Math.min(
      this.commands.lowest() ?? this.#position + 1,
      this.options.keepFrom?.() ?? Number.POSITIVE_INFINITY,
    );
    if (resumeFrom === this.#saved) return;
    this.#saved = resumeFrom;
    try {
      failPoint('index.saving');
      await this.#agents.save(resumeFrom);
      failPoint('index.saved');
    } catch (error) {
      this.options.onFault(toFault(error, 'DATA_DIR_UNUSABLE'));
    }
  }
}
