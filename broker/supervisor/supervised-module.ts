import * as E from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { nuid } from 'nats';
import type { Beat, Configured, StartReply, StartRequest, StepReply } from '../../schemas/control.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { isFollower, limitsOf, type Manifest } from '../../schemas/manifest.js';
import type { ModuleState } from '../../schemas/operate.js';
import type { ServedModule } from '../gateway/directory.js';
import { ServiceStats } from '../gateway/service-stats.js';
import { CrashRecord } from './crash-record.js';
import type { EpochPace } from './epoch-pace.js';
import { EpochRequests } from './epoch-requests.js';
import type { ModuleSource } from './manifest-file.js';
import { ModuleCut } from './module-cut.js';
import type { ModuleProcess, ProcessEnd } from './module-process.js';
import type { ModuleSurroundings } from './module-surroundings.js';
import { ProcessStart, whyEnded } from './process-start.js';
import { SilenceWatch } from './silence-watch.js';
import { startFailed, startParked } from './start-failures.js';
import type { Rest } from './start-plan.js';
import { NextNews } from '../../system/async/next-news.js';
import { Backoff } from '../../system/async/backoff.js';
import { pause } from '../../system/async/pause.js';

const FIRST_BACKOFF_MS = 100;
const MAX_BACKOFF_MS = 10_000;
/**
 * What ends a process that was ready is likely a command, which is answered then: the others need not wait for long.
 */
const MAX_READY_BACKOFF_MS = 1_000;
/** How often it is looked whether the server is back. */
const LINK_POLL_MS = 100;
const isConfigFault = ({ code }: Fault): boolean => code === 'CONFIG_MISSING' || code === 'CONFIG_INVALID';

/** How long a module may take to finish what it handles when it is asked to stop. */
const DRAIN_MS = 15_000;

export interface SupervisedModuleOptions {
  readonly source: ModuleSource;
  readonly around: ModuleSurroundings;
  /** Of the same module before, whose epochs count too. */
  readonly pace?: EpochPace;
  /** The broker has parked the module, and why; null: it handles commands. */
  readonly onParked: (reason: string | null) => void;
}

/**
 * One module through its life: known, loading, loaded, crashed, unloaded. A process that ends unasked is replaced after
 * a pause that doubles; a module that keeps crashing is parked, says why, and the rest runs on.
 */
export class SupervisedModule implements ServedModule {
  state: ModuleState = 'known';
  /** Why it is crashed, or how its last process ended; one line. */
  reason: string | null = null;
  /** What its last process printed before it ended unasked. */
  lastOutput: readonly string[] = [];
  /** Its manifest needs a configuration that it does not have: it starts when that is set. */
  waitsForConfig = false;
  restarts = 0;
  beat: Beat | undefined;
  instance = nuid.next();
  stats = new ServiceStats();
  readonly source: ModuleSource;
  readonly pace: EpochPace;
  readonly #around: ModuleSurroundings;
  readonly #onParked: (reason: string | null) => void;
  readonly #epochs: EpochRequests;
  /** The start of the process that was started last. */
  #start: ProcessStart | undefined;
  #lastExit: ProcessEnd | 'none' = 'none';
  #crashes: CrashRecord;
  /** It was parked before this start. */
  #wasParked = false;
  #wanted = false;
  /** Another module object of that name is about to take over. */
  #replaced = false;
  /** The start whose process ends because it is to be replaced by another one of this object. */
  #ending: ProcessStart | undefined;
  /** Until the next process is ready. */
  #isRestarting = false;
  readonly #configured = new NextNews<Configured>();
  readonly #restarted = new NextNews<E.Either<Fault, void>>();
  /** Of the process that was answered last: what ran before it has stored nothing behind. */
  #epoch = 0;
  #watch: SilenceWatch | undefined;
  #life: Promise<void> = Promise.resolve();
  #pausing = new AbortController();
  readonly #cut: ModuleCut;

  constructor({ source, around, pace = around.newPace(), onParked }: SupervisedModuleOptions) {
    this.source = source;
    this.pace = pace;
    this.#around = around;
    this.#onParked = onParked;
    this.#epochs = new EpochRequests(source.manifest.name, pace);
    this.#crashes = new CrashRecord(limitsOf(source.manifest).crashes);
    this.#cut = new ModuleCut({
      shutOut: () => around.cut(source.manifest),
      kill: () => void this.#start?.process?.kill(),
      log: (text) => around.log(this.name, text),
    });
  }

  get name(): string {
    return this.source.manifest.name;
  }

  get manifest(): Manifest {
    return this.source.manifest;
  }

  get pid(): number | null {
    const process = this.#start?.process;
    return process?.running === true ? process.pid : null;
  }

  /** Another process of it is about to take over: calls wait for that one. */
  get reloading(): boolean {
    return this.#replaced || this.#isRestarting;
  }

  set reloading(replaced: boolean) {
    this.#replaced = replaced;
  }

  /** The process that was started last. */
  get process(): ModuleProcess | undefined {
    return this.#start?.process;
  }

  /** Of the process that was started last. */
  get processInstance(): string {
    return this.#start?.instance ?? '';
  }

  /** {@link lastOutput} as one text; undefined where nothing was printed. */
  get lastWords(): string | undefined {
    return this.lastOutput.length === 0 ? undefined : this.lastOutput.join('\n');
  }

  /** It runs, or the broker still tries to make it run. */
  get isActive(): boolean {
    return this.state === 'loaded' || this.state === 'loading' || this.state === 'reloading';
  }

  /** It is asked to stop and has not stopped yet. */
  get stopping(): boolean {
    return !this.#wanted && this.isActive;
  }

  /** Has it stay at rest. */
  rest({ state, reason }: Rest): void {
    this.state = state;
    this.reason = reason;
  }

  /** Marks a module that cannot be started at all. */
  refuse(problem: Fault): void {
    this.rest({ state: 'crashed', reason: `${problem.code}: ${problem.message}` });
  }

  /**
   * Starts the module; resolves when it handles commands, or with why the first start failed. Then the broker still
   * tries, until it parks the module. `once`: it was parked before, and one start that fails is enough to park it
   * again.
   */
  load({ once = false }: { readonly once?: boolean } = {}): TaskEither<Fault, void> {
    return () =>
      new Promise((resolve) => {
        if (this.isActive) return resolve(E.right(undefined));
        this.#wanted = true;
        this.#wasParked = once;
        this.#crashes = new CrashRecord(once ? 1 : limitsOf(this.manifest).crashes);
        this.restarts = 0;
        this.lastOutput = [];
        this.state = 'loading';
        this.reason = null;
        this.waitsForConfig = false;
        this.instance = nuid.next();
        this.stats = new ServiceStats();
        this.#lastExit = 'none';
        this.#life = this.#live((outcome) => resolve(outcome));
      });
  }

  /** Lets the module finish what it handles and ends it. Its commands stay in the log until it is loaded again. */
  async unload(): Promise<void> {
    this.#wanted = false;
    this.waitsForConfig = false;
    if (this.#replaced) this.state = 'reloading';
    this.#pausing.abort();
    await this.#start?.process?.stop(DRAIN_MS);
    await this.#life;
    this.state = this.#replaced ? 'reloading' : 'unloaded';
    this.reason = null;
  }

  /**
   * Lets its process finish what it handles, and starts another one, with the configuration of then. Resolves when that
   * one is ready, or with why it is not.
   */
  async restart(): Promise<E.Either<Fault, void>> {
    if (!this.isActive || !this.#wanted) return E.right(undefined);
    const next = this.#restarted.next();
    const { process } = this;
    if (process?.running === true) {
      this.#ending = this.#start;
      this.#isRestarting = true;
      if (this.state === 'loaded') this.state = 'reloading';
      await process.stop(DRAIN_MS);
    } else this.#pausing.abort();
    return next;
  }

  /** Its process has taken a configuration that came while it ran, or says why it cannot. */
  configured(configured: Configured): void {
    this.#configured.tell(configured);
  }

  /** Resolves with what its process says next of a configuration. */
  nextConfigured(): Promise<Configured> {
    return this.#configured.next();
  }

  /** Ends the process at once: another broker has the module, and what this one has in hand can be stored no more. */
  abandon(): void {
    this.#wanted = false;
    this.#pausing.abort();
    void this.#start?.process?.kill();
  }

  /** Ends its process and shuts out its credential: it floods the broker. */
  cut(why: string, begins?: () => void): Promise<void> {
    return this.#cut.cut(why, begins);
  }

  /** The module's process asks for its epoch. See {@link EpochRequests}. */
  starts(request: StartRequest): TaskEither<Fault, StartReply> {
    return () => {
      this.#start?.asked(request.instance);
      return this.#epochs.request(request, async () => {
        this.#watch?.heard();
        const clock = this.#start?.clock;
        clock?.asked();
        const started = await this.#around.start(this.manifest, request)();
        clock?.answered(E.isRight(started) ? started.right.foldRecords : 0);
        if (E.isRight(started)) this.#epoch = started.right.epoch;
        return started;
      });
    };
  }

  /** The highest number of a call that the log has of the handler of a command, whichever process made it. */
  recordedCalls(cause: number, fromSeq: number): TaskEither<Fault, number> {
    return this.#around.recordedCalls(this.name, cause, Math.max(fromSeq, this.#epoch));
  }

  /** What the log has of the handler of a command at a number, whichever process stored it. */
  recordedStep(cause: number, call: number): TaskEither<Fault, StepReply> {
    return this.#around.recordedStep(this.name, cause, call, this.#epoch);
  }

  isReady(): void {
    this.#watch?.heard();
    this.#start?.isReady();
    // A follower continues to read with the consumer of its past.
    if (!isFollower(this.manifest)) void this.#around.started(this.name)();
  }

  beats(beat: Beat): void {
    this.#watch?.heard();
    this.#start?.clock.folded(beat.folded ?? 0);
    this.beat = beat;
  }

  /** Runs process after process until the module is unloaded or parked. */
  async #live(answer: (outcome: E.Either<Fault, void>) => void): Promise<void> {
    const backoff = new Backoff(FIRST_BACKOFF_MS);
    while (this.#wanted) {
      const linked = await this.#linked();
      if (!this.#wanted) break;
      const started = await this.#startProcess();
      let park: string | undefined;
      if (E.isRight(started)) {
        const readyAt = performance.now();
        this.state = 'loaded';
        this.#hasRestarted(E.right(undefined));
        if (this.#wasParked) this.#crashes = new CrashRecord(limitsOf(this.manifest).crashes);
        this.#wasParked = false;
        this.#onParked(null);
        answer(E.right(undefined));
        this.#lastExit = await this.#untilEnd(started.right);
        const ranMs = performance.now() - readyAt;
        // One that ends as soon as it is ready has not recovered: the pauses before it must continue to grow.
        if (ranMs >= backoff.nextMs) backoff.reset();
        if (!this.#wanted) break;
        if (this.#hasEnded()) continue;
        this.lastOutput = started.right.said.all;
        const why = this.#cut.takeReason() ?? 'its process ended';
        this.reason = whyEnded(started.right, `${why} (${this.#lastExit})`);
        park = this.#crashes.ended(ranMs);
      } else {
        if (!this.#wanted) break;
        if (this.#hasEnded()) continue;
        this.reason = started.left.message;
        if (isConfigFault(started.left)) return answer(await this.#waitForConfig(started.left));
        // The server went away meanwhile: nothing that the module did, and no reason to park it.
        if (this.#around.linkedSince() !== linked) continue;
        park = this.#crashes.failed();
      }
      this.state = 'loading';
      this.#hasRestarted(E.left(fault('MODULE_START_FAILED', this.reason)));
      if (park !== undefined) {
        answer(await this.#park(park));
        return;
      }
      this.restarts += 1;
      const backoffMs = backoff.take(E.isRight(started) ? MAX_READY_BACKOFF_MS : MAX_BACKOFF_MS);
      const pauseMs = Math.ceil(Math.max(backoffMs, this.pace.waitMs));
      this.#around.log(this.name, `${this.reason}; it starts again in ${pauseMs} ms`);
      if (E.isLeft(started)) answer(E.left(startFailed(this)));
      await this.#pause(pauseMs);
    }
    this.#ending = undefined;
    const unloaded = E.left(fault('MODULE_STATE', `${this.name} was unloaded while it started`));
    this.#hasRestarted(unloaded);
    answer(unloaded);
  }

  /** Whether the process that ended did so for another one. That is no crash, and needs no pause. */
  #hasEnded(): boolean {
    if (this.#ending === undefined || this.#ending !== this.#start) return false;
    this.#ending = undefined;
    this.#lastExit = 'none';
    this.state = 'reloading';
    return true;
  }

  #hasRestarted(how: E.Either<Fault, void>): void {
    this.#isRestarting = false;
    this.#restarted.tell(how);
  }

  /** Another start would end the same. */
  async #waitForConfig(problem: Fault): Promise<E.Either<Fault, never>> {
    this.refuse(problem);
    this.waitsForConfig = true;
    this.#around.log(this.name, `${this.reason}; its commands wait`);
    await this.#around.repair(this.manifest)();
    const refused = E.left(problem);
    this.#hasRestarted(refused);
    return refused;
  }

  async #park(crashes: string): Promise<E.Either<Fault, never>> {
    const reason = `parked after ${crashes}, the last: ${this.reason}`;
    this.rest({ state: 'crashed', reason });
    this.#around.log(this.name, `${reason}; \`tallystick module reload ${this.name}\` starts it again`);
    this.#onParked(reason);
    await this.#around.repair(this.manifest)();
    return E.left(startParked(this, reason));
  }

  /** A person may stop it at a breakpoint for as long as they like: its silence is no hang. */
  get #inspectPort(): number | undefined {
    return this.#around.inspectPort(this.name);
  }

  /** Watches a process that is ready, until it ends. */
  async #untilEnd(process: ModuleProcess): Promise<ProcessEnd> {
    if (this.#inspectPort !== undefined) return process.ended;
    const { linkedSince, serverAnswers, log } = this.#around;
    const { hangMs } = limitsOf(this.manifest);
    const watch = new SilenceWatch({
      process,
      hangMs,
      linkedSince,
      serverAnswers,
      log: (text) => log(this.name, text),
    });
    this.#watch = watch;
    const end = await process.ended;
    watch.close();
    this.#watch = undefined;
    return end;
  }

  /** A process that is ready, or why there is none. */
  async #startProcess(): Promise<E.Either<Fault, ModuleProcess>> {
    const start = new ProcessStart({
      source: this.source,
      around: this.#around,
      lastExit: this.#lastExit,
      inspectPort: this.#inspectPort,
      isWanted: () => this.#wanted,
    });
    this.#start = start;
    const started = await start.run();
    if (E.isRight(started)) return started;
    if (start.process !== undefined) this.lastOutput = start.process.said.all;
    if (start.end !== undefined) this.#lastExit = start.end;
    return started;
  }

  /** Waits until the server can be reached, without which no process can start. Since when it can. */
  async #linked(): Promise<number | undefined> {
    while (this.#wanted && this.#around.linkedSince() === undefined) await this.#pause(LINK_POLL_MS);
    return this.#around.linkedSince();
  }

  #pause(ms: number): Promise<void> {
    this.#pausing = new AbortController();
    return pause(ms, { signal: this.#pausing.signal });
  }
}
