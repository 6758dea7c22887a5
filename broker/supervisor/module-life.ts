import * as E from 'fp-ts/lib/Either.js';
import { Backoff } from '../../system/async/backoff.js';
import { NextNews } from '../../system/async/next-news.js';
import { pause } from '../../system/async/pause.js';
import type { LogLevel } from '../../schemas/log-lines.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { limitsOf } from '../../schemas/manifest.js';
import { CrashRecord } from './crash-record.js';
import type { EpochPace } from './epoch-pace.js';
import type { ModuleSource } from './manifest-file.js';
import type { ModuleCut } from './module-cut.js';
import type { ModuleProcess, ProcessEnd } from './module-process.js';
import type { ModuleStanding } from './module-standing.js';
import type { ModuleSurroundings } from './module-surroundings.js';
import { ProcessStart, whyEnded } from './process-start.js';
import { SilenceWatch } from './silence-watch.js';
import { startFailed, startParked } from './start-failures.js';

const FIRST_BACKOFF_MS = 100;
const MAX_BACKOFF_MS = 10_000;
/**
 * What ends a process that was ready is likely a command, which is answered then: the others need not wait for long.
 */
const MAX_READY_BACKOFF_MS = 1_000;
/** How often it is looked whether the server is back. */
const LINK_POLL_MS = 100;
/** How long a module may take to finish what it handles when it is asked to stop. */
const DRAIN_MS = 15_000;

const isConfigFault = ({ code }: Fault): boolean => code === 'CONFIG_MISSING' || code === 'CONFIG_INVALID';

/** How a start ended. */
export type Started = E.Either<Fault, void>;

export interface ModuleLifeOptions {
  readonly source: ModuleSource;
  readonly around: ModuleSurroundings;
  readonly standing: ModuleStanding;
  readonly pace: EpochPace;
  readonly cut: ModuleCut;
  /** It was parked before: one start that fails is enough to park it again. */
  readonly once: boolean;
  /** The broker has parked the module, and why; null: it handles commands. */
  readonly onParked: (reason: string | null) => void;
}

/** The processes of a module, one after the other, from the moment it is loaded until it is unloaded or parked. */
export class ModuleLife {
  /** The start of the process that was started last. */
  start: ProcessStart | undefined;
  #isWanted = true;
  #wasParked: boolean;
  #crashes: CrashRecord;
  #lastExit: ProcessEnd | 'none' = 'none';
  /** The start whose process ends because another one is to replace it. */
  #ending: ProcessStart | undefined;
  /** Until the next process is ready. */
  #isRestarting = false;
  readonly #restarted = new NextNews<Started>();
  #watch: SilenceWatch | undefined;
  #pausing = new AbortController();

  constructor(private readonly options: ModuleLifeOptions) {
    this.#wasParked = options.once;
    this.#crashes = new CrashRecord(options.once ? 1 : this.#limits.crashes);
  }

  /** It is to run: nobody has stopped it. */
  get isWanted(): boolean {
    return this.#isWanted;
  }

  /** Another process of it is about to take over. */
  get isRestarting(): boolean {
    return this.#isRestarting;
  }

  /** The process that was started last. */
  get process(): ModuleProcess | undefined {
    return this.start?.process;
  }

  /** Its process has said something. */
  heard(): void {
    this.#watch?.heard();
  }

  /** Lets its process finish what it handles, and has no other one follow. */
  async stop(): Promise<void> {
    this.#isWanted = false;
    this.#pausing.abort();
    await this.process?.stop(DRAIN_MS);
  }

  /** Ends its process at once, and has no other one follow. */
  abandon(): void {
    this.#isWanted = false;
    this.#pausing.abort();
    void this.process?.kill();
  }

  /** Has another process follow the one that runs. Resolves when that one is ready, or with why it is not. */
  async restart(): Promise<Started> {
    const { standing } = this.options;
    if (!standing.isActive || !this.#isWanted) return E.right(undefined);
    const next = this.#restarted.next();
    const { process } = this;
    if (process?.running === true) {
      this.#ending = this.start;
      this.#isRestarting = true;
      if (standing.state === 'loaded') standing.state = 'reloading';
      await process.stop(DRAIN_MS);
    } else this.#pausing.abort();
    return next;
  }

  /** Runs process after process. `answer`: how the first start ended. */
  async run(answer: (outcome: Started) => void): Promise<void> {
    const { standing, around, pace, cut, onParked } = this.options;
    const backoff = new Backoff(FIRST_BACKOFF_MS);
    while (this.#isWanted) {
      const linked = await this.#linked();
      if (!this.#isWanted) break;
      const started = await this.#startProcess();
      let park: string | undefined;
      if (E.isRight(started)) {
        const readyAt = performance.now();
        standing.state = 'loaded';
        this.#hasRestarted(E.right(undefined));
        if (this.#wasParked) this.#crashes = new CrashRecord(this.#limits.crashes);
        this.#wasParked = false;
        onParked(null);
        answer(E.right(undefined));
        const end = await this.#untilEnd(started.right);
        this.#lastExit = end;
        const ranMs = performance.now() - readyAt;
        // One that ends as soon as it is ready has not recovered: the pauses before it must continue to grow.
        if (ranMs >= backoff.nextMs) backoff.reset();
        if (!this.#isWanted) break;
        if (this.#hasEnded()) continue;
        standing.lastOutput = started.right.said.all;
        const cutFor = cut.takeReason();
        // A handler did what it was cut off for. Handled again, its command would end one process after the other.
        if (cutFor !== undefined) this.#lastExit = 'cut';
        standing.reason = whyEnded(started.right, `${cutFor ?? 'its process ended'} (${end})`);
        park = this.#crashes.ended(ranMs);
      } else {
        if (!this.#isWanted) break;
        if (this.#hasEnded()) continue;
        standing.reason = started.left.message;
        if (isConfigFault(started.left)) return answer(await this.#waitForConfig(started.left));
        // The server went away meanwhile: nothing that the module did, and no reason to park it.
        if (around.linkedSince() !== linked) continue;
        park = this.#crashes.failed();
      }
      standing.state = 'loading';
      this.#hasRestarted(E.left(fault('MODULE_START_FAILED', standing.reason)));
      if (park !== undefined) return answer(await this.#park(park));
      standing.restarts += 1;
      const backoffMs = backoff.take(E.isRight(started) ? MAX_READY_BACKOFF_MS : MAX_BACKOFF_MS);
      const pauseMs = Math.ceil(Math.max(backoffMs, pace.waitMs));
      this.#log(`${standing.reason}; it starts again in ${pauseMs} ms`, 'warn');
      if (E.isLeft(started)) answer(E.left(startFailed(this.#failed)));
      await this.#pause(pauseMs);
    }
    this.#ending = undefined;
    const unloaded = E.left(fault('MODULE_STATE', `${this.#name} was unloaded while it started`));
    this.#hasRestarted(unloaded);
    answer(unloaded);
  }

  get #name(): string {
    return this.options.source.manifest.name;
  }

  get #limits(): ReturnType<typeof limitsOf> {
    return limitsOf(this.options.source.manifest);
  }

  get #failed(): Parameters<typeof startFailed>[0] {
    const { reason, lastOutput } = this.options.standing;
    return { name: this.#name, reason, lastOutput };
  }

  #log(text: string, level: LogLevel): void {
    this.options.around.log(this.#name, text, level);
  }

  /** Whether the process that ended did so for another one. That is no crash, and needs no pause. */
  #hasEnded(): boolean {
    if (this.#ending === undefined || this.#ending !== this.start) return false;
    this.#ending = undefined;
    this.#lastExit = 'none';
    this.options.standing.state = 'reloading';
    return true;
  }

  #hasRestarted(how: Started): void {
    this.#isRestarting = false;
    this.#restarted.tell(how);
  }

  /** Another start would end the same. */
  async #waitForConfig(problem: Fault): Promise<E.Either<Fault, never>> {
    const { standing, around, source } = this.options;
    standing.refuse(problem);
    standing.waitsForConfig = true;
    this.#log(`${standing.reason}; its commands wait`, 'error');
    await around.repair(source.manifest)();
    const refused = E.left(problem);
    this.#hasRestarted(refused);
    return refused;
  }

  async #park(crashes: string): Promise<E.Either<Fault, never>> {
    const { standing, around, source, onParked } = this.options;
    const reason = `parked after ${crashes}, the last: ${standing.reason}`;
    standing.rest({ state: 'crashed', reason });
    this.#log(`${reason}; \`tallystick module reload ${this.#name}\` starts it again`, 'error');
    onParked(reason);
    await around.repair(source.manifest)();
    return E.left(startParked(this.#failed, reason));
  }

  /** A person may stop it at a breakpoint for as long as they like: its silence is no hang. */
  get #inspectPort(): number | undefined {
    return this.options.around.inspectPort(this.#name);
  }

  /** Watches a process that is ready, until it ends. */
  async #untilEnd(process: ModuleProcess): Promise<ProcessEnd> {
    if (this.#inspectPort !== undefined) return process.ended;
    const { linkedSince, serverAnswers } = this.options.around;
    const watch = new SilenceWatch({
      process,
      hangMs: this.#limits.hangMs,
      linkedSince,
      serverAnswers,
      log: (text) => this.#log(text, 'warn'),
    });
    this.#watch = watch;
    const end = await process.ended;
    watch.close();
    this.#watch = undefined;
    return end;
  }

  /** A process that is ready, or why there is none. */
  async #startProcess(): Promise<E.Either<Fault, ModuleProcess>> {
    const { source, around, standing } = this.options;
    const start = new ProcessStart({
      source,
      around,
      lastExit: this.#lastExit,
      inspectPort: this.#inspectPort,
      isWanted: () => this.#isWanted,
    });
    this.start = start;
    const started = await start.run();
    if (E.isRight(started)) return started;
    if (start.process !== undefined) standing.lastOutput = start.process.said.all;
    if (start.end !== undefined) this.#lastExit = start.end;
    return started;
  }

  /** Waits until the server can be reached, without which no process can start. Since when it can. */
  async #linked(): Promise<number | undefined> {
    const { linkedSince } = this.options.around;
    while (this.#isWanted && linkedSince() === undefined) await this.#pause(LINK_POLL_MS);
    return linkedSince();
  }

  #pause(ms: number): Promise<void> {
    this.#pausing = new AbortController();
    return pause(ms, { signal: this.#pausing.signal });
  }
}
