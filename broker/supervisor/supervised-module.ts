import * as E from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { nuid } from 'nats';
import type { Beat, StartReply, StartRequest } from '../../schemas/control.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { isFollower, limitsOf, type Manifest } from '../../schemas/manifest.js';
import type { ModuleState } from '../../schemas/operate.js';
import type { Key } from '../access/keys.js';
import type { ServedModule } from '../gateway/directory.js';
import { ServiceStats } from '../gateway/service-stats.js';
import type { Reaper } from '../process/reaper.js';
import type { ModuleSource } from './manifest-file.js';
import { ModuleProcess, type ProcessEnd } from './module-process.js';

/** What a module needs of the broker around it. */
export interface ModuleSurroundings {
  readonly hostEntry: string;
  readonly natsUrl: string;
  readonly snapshotsDir: (module: string) => string;
  readonly reaper: Reaper;
  readonly grant: (manifest: Manifest) => TaskEither<Fault, Key>;
  readonly revoke: (module: string) => TaskEither<Fault, void>;
  /** Opens the module's next epoch and prepares its consumers. */
  readonly start: (manifest: Manifest, request: StartRequest) => TaskEither<Fault, StartReply>;
  /** The module has read its past and handles commands. */
  readonly started: (module: string) => TaskEither<Fault, unknown>;
  /** Stores what a module that stays down has left undone. */
  readonly repair: (manifest: Manifest) => TaskEither<Fault, unknown>;
  /** Since when the connection to the server stands, by the clock of `performance.now()`; undefined while it does not. */
  readonly linkedSince: () => number | undefined;
  /** Resolves when the server has answered, and all that it had sent before is here; rejects when the connection is lost. */
  readonly serverAnswers: () => Promise<void>;
  readonly log: (module: string, text: string) => void;
  /** A line that the module itself printed. */
  readonly output: (module: string, line: string) => void;
}

const FIRST_BACKOFF_MS = 100;
const MAX_BACKOFF_MS = 10_000;
/** What ends a process that was ready is likely a command, which is answered then: the others need not wait for long. */
const MAX_READY_BACKOFF_MS = 1_000;
const CRASH_WINDOW_MS = 60_000;
/** A server that takes longer than this to answer was not there, or hardly. */
const SLOW_ANSWER_MS = 500;
/** How often it is looked whether the server is back. */
const LINK_POLL_MS = 100;
const WATCH_INTERVAL_MS = 250;
/** How long a module may take to finish what it handles when it is asked to stop. */
const DRAIN_MS = 15_000;

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
  restarts = 0;
  beat: Beat | undefined;
  instance = nuid.next();
  /** Of the process that was started last. */
  processInstance = '';
  stats = new ServiceStats();
  #process: ModuleProcess | undefined;
  #lastExit: ProcessEnd | 'none' = 'none';
  #crashes: number[] = [];
  /** Starts in a row that did not succeed: slow ones are never as many within a minute. */
  #failedStarts = 0;
  #wanted = false;
  #lastBeat = 0;
  #ready: (() => void) | undefined;
  #watch: NodeJS.Timeout | undefined;
  #life: Promise<void> = Promise.resolve();
  #cancelPause: (() => void) | undefined;
  #starting: Promise<unknown> = Promise.resolve();
  /** The process that asked for its epoch last: its code is loaded. */
  #askedBy = '';
  /** The start that is being made. */
  #asked:
    | {
        readonly instance: string | undefined;
        readonly reply: Promise<E.Either<Fault, StartReply>>;
      }
    | undefined;

  constructor(
    readonly source: ModuleSource,
    private readonly around: ModuleSurroundings,
  ) {}

  get name(): string {
    return this.source.manifest.name;
  }

  get manifest(): Manifest {
    return this.source.manifest;
  }

  get pid(): number | null {
    return this.#process?.running === true ? this.#process.pid : null;
  }

  /** {@link lastOutput} as one text; undefined where nothing was printed. */
  get lastWords(): string | undefined {
    return this.lastOutput.length === 0 ? undefined : this.lastOutput.join('\n');
  }

  /** It is asked to stop and has not stopped yet. */
  get stopping(): boolean {
    return !this.#wanted && (this.state === 'loaded' || this.state === 'loading');
  }

  /** Marks a module that cannot be started at all. */
  refuse(problem: Fault): void {
    this.state = 'crashed';
    this.reason = `${problem.code}: ${problem.message}`;
  }

  /** Starts the module; resolves when it handles commands, or with why it was parked. */
  load(): TaskEither<Fault, void> {
    return () =>
      new Promise((resolve) => {
        if (this.state === 'loaded' || this.state === 'loading') return resolve(E.right(undefined));
        this.#wanted = true;
        this.#crashes = [];
        this.#failedStarts = 0;
        this.restarts = 0;
        this.reason = null;
        this.lastOutput = [];
        this.state = 'loading';
        this.instance = nuid.next();
        this.stats = new ServiceStats();
        this.#lastExit = 'none';
        this.#life = this.#live((outcome) => resolve(outcome));
      });
  }

  /** Lets the module finish what it handles and ends it. Its commands stay in the log until it is loaded again. */
  async unload(): Promise<void> {
    this.#wanted = false;
    this.#cancelPause?.();
    await this.#process?.stop(DRAIN_MS);
    await this.#life;
    this.state = 'unloaded';
    this.reason = null;
  }

  /** Ends the process at once: another broker has the module, and what this one has in hand can be stored no more. */
  abandon(): void {
    this.#wanted = false;
    this.#cancelPause?.();
    void this.#process?.kill();
  }

  /**
   * The module's process asks for its epoch; requests of one module are served one after the other. A process that asks again
   * while it is not answered has the answer that is under way: nothing was begun with it.
   */
  starts(request: StartRequest): TaskEither<Fault, StartReply> {
    return () => {
      const { instance } = request;
      this.#askedBy = instance ?? this.processInstance;
      if (instance !== undefined && this.#asked?.instance === instance) return this.#asked.reply;
      const reply = this.#starting.then(() => {
        this.#lastBeat = performance.now();
        return this.around.start(this.manifest, request)();
      });
      const asked = { instance, reply };
      this.#asked = asked;
      this.#starting = reply
        .catch(() => undefined)
        .finally(() => {
          if (this.#asked === asked) this.#asked = undefined;
        });
      return reply;
    };
  }

  isReady(): void {
    this.#lastBeat = performance.now();
    this.#ready?.();
    // One that follows the log goes on reading by the consumer of its past.
    if (!isFollower(this.manifest)) void this.around.started(this.name)();
  }

  beats(beat: Beat): void {
    this.#lastBeat = performance.now();
    this.beat = beat;
  }

  /** Runs process after process until the module is unloaded or parked. */
  async #live(loaded: (outcome: E.Either<Fault, void>) => void): Promise<void> {
    let backoffMs = FIRST_BACKOFF_MS;
    while (this.#wanted) {
      const linked = await this.#linked();
      if (!this.#wanted) break;
      const started = await this.#startProcess();
      if (E.isRight(started)) {
        this.state = 'loaded';
        this.#failedStarts = 0;
        const readyAt = performance.now();
        loaded(E.right(undefined));
        this.#startWatch();
        this.#lastExit = await started.right.ended;
        clearInterval(this.#watch);
        // One that ends as soon as it is ready has not recovered: the pauses before it must go on growing.
        if (performance.now() - readyAt >= backoffMs) backoffMs = FIRST_BACKOFF_MS;
        if (!this.#wanted) break;
        this.reason = this.#whyEnded(started.right, `its process ended (${this.#lastExit})`);
      } else {
        if (!this.#wanted) break;
        this.reason = started.left.message;
        // The server went away meanwhile: nothing that the module did, and no reason to park it.
        if (this.around.linkedSince() !== linked) continue;
        this.#failedStarts += 1;
      }
      this.state = 'loading';
      const crashes = this.#countCrash();
      if (crashes !== undefined) {
        this.state = 'crashed';
        this.reason = `parked after ${crashes}, the last: ${this.reason}`;
        this.around.log(
          this.name,
          `${this.reason}; \`tallystick module reload ${this.name}\` starts it again`,
        );
        await this.around.repair(this.manifest)();
        const said = this.lastOutput.map((line) => `\n  ${line}`).join('');
        loaded(E.left(fault('MODULE_START_FAILED', `${this.name} was ${this.reason}${said}`)));
        return;
      }
      this.restarts += 1;
      this.around.log(this.name, `${this.reason}; it starts again in ${backoffMs} ms`);
      await this.#pause(backoffMs);
      backoffMs = Math.min(backoffMs * 2, E.isRight(started) ? MAX_READY_BACKOFF_MS : MAX_BACKOFF_MS);
    }
    loaded(E.left(fault('MODULE_STATE', `${this.name} was unloaded while it started`)));
  }

  /** Counts one more; the crashes for which the module is parked, when there are enough. */
  #countCrash(): string | undefined {
    const now = performance.now();
    this.#crashes = [...this.#crashes.filter((at) => at > now - CRASH_WINDOW_MS), now];
    const limit = limitsOf(this.manifest).crashes;
    if (this.#crashes.length >= limit) return `${this.#crashes.length} crashes within a minute`;
    return this.#failedStarts >= limit ? `${this.#failedStarts} failed starts in a row` : undefined;
  }

  /** A process that is ready, or why there is none; then nothing of it is left. */
  async #startProcess(): Promise<E.Either<Fault, ModuleProcess>> {
    // Kill and wait, new epoch, new credential, start: the order that a replacement must have.
    const key = await this.around.grant(this.manifest)();
    if (E.isLeft(key)) return key;
    if (!this.#wanted) return E.left(fault('MODULE_STATE', 'it was unloaded before its process began'));
    const { hostEntry, natsUrl, snapshotsDir, reaper } = this.around;
    this.processInstance = nuid.next();
    const ready = new Promise<'ready'>((resolve) => {
      this.#ready = () => resolve('ready');
    });
    const spawned = ModuleProcess.start({
      source: this.source,
      hostEntry,
      natsUrl,
      seed: key.right.seed,
      snapshotsDir: snapshotsDir(this.name),
      lastExit: this.#lastExit,
      instance: this.processInstance,
      reaper,
      onLine: (line) => this.around.output(this.name, line),
    });
    if (E.isLeft(spawned)) return spawned;
    const process = spawned.right;
    this.#process = process;
    const { startMs } = limitsOf(this.manifest);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), startMs);
    });
    const first = await Promise.race([ready, late, process.ended]);
    clearTimeout(timer);
    this.#ready = undefined;
    if (first === 'ready') return E.right(process);
    await process.kill();
    if (first !== 'late') this.#lastExit = first;
    const why = first === 'late' ? this.#whyLate(startMs) : `its process ended (${first})`;
    return E.left(fault('MODULE_START_FAILED', this.#whyEnded(process, why)));
  }

  /** How a process ended, with the line that says why; all that it printed last is kept for who asks. */
  #whyEnded({ said }: ModuleProcess, how: string): string {
    this.lastOutput = said.all;
    // One that a signal has ended could not say why.
    if (!how.includes('(exit:')) return how;
    return said.cause === undefined ? `${how} and printed nothing` : `${how}: ${said.cause}`;
  }

  #whyLate(startMs: number): string {
    const doing =
      this.#askedBy === this.processInstance ? 'it still folded its past' : 'its code was still being loaded';
    return `it was not ready within ${startMs} ms: ${doing}`;
  }

  /** Silence while the server answers means that the process hangs; while it does not, nobody can be heard. */
  #startWatch(): void {
    let asking = false;
    this.#lastBeat = performance.now();
    this.#watch = setInterval(() => {
      if (asking || !this.#isSilent()) return;
      asking = true;
      void this.#replaceHung().finally(() => {
        asking = false;
      });
    }, WATCH_INTERVAL_MS).unref();
  }

  #isSilent(): boolean {
    return this.#silentMs() >= limitsOf(this.manifest).hangMs && this.#process?.running === true;
  }

  /** How long nothing was heard of the process over a connection that stands. */
  #silentMs(): number {
    const linked = this.around.linkedSince();
    return linked === undefined ? 0 : Math.round(performance.now() - Math.max(this.#lastBeat, linked));
  }

  /** A server that is stopped, or out of reach behind a connection that seems to stand, says nothing of the module. */
  async #replaceHung(): Promise<void> {
    const process = this.#process;
    const askedAt = performance.now();
    try {
      await this.around.serverAnswers();
    } catch {
      return;
    }
    // What the module said meanwhile may be on its way still: its time begins anew.
    if (performance.now() - askedAt > SLOW_ANSWER_MS) this.#lastBeat = performance.now();
    if (process === undefined || process !== this.#process || !this.#isSilent()) return;
    const text = `process ${process.pid} has been silent for ${this.#silentMs()} ms and is replaced`;
    this.around.log(this.name, text);
    process.killHung();
  }

  /** Waits until the server can be reached, without which no process can start. Since when it can. */
  async #linked(): Promise<number | undefined> {
    while (this.#wanted && this.around.linkedSince() === undefined) await this.#pause(LINK_POLL_MS);
    return this.around.linkedSince();
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resume) => {
      const timer = setTimeout(resume, ms);
      this.#cancelPause = () => {
        clearTimeout(timer);
        resume();
      };
    });
  }
}
