import * as E from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type {
  Beat,
  CancelledReply,
  Configured,
  StartReply,
  StartRequest,
  CallsReply,
  StepReply,
  WakesReply,
} from '../../schemas/control.js';
import type { Fault } from '../../schemas/errors.js';
import { isFollower, type Manifest } from '../../schemas/manifest.js';
import type { ServedModule } from '../gateway/directory.js';
import { NextNews } from '../../system/async/next-news.js';
import type { EpochPace } from './epoch-pace.js';
import { EpochRequests } from './epoch-requests.js';
import type { ModuleSource } from './manifest-file.js';
import { ModuleCut } from './module-cut.js';
import { ModuleLife, type Started } from './module-life.js';
import type { ModuleProcess } from './module-process.js';
import { ModuleStanding } from './module-standing.js';
import type { ModuleSurroundings } from './module-surroundings.js';

export interface SupervisedModuleOptions {
  readonly source: ModuleSource;
  readonly around: ModuleSurroundings;
  /** Of the same module before, whose epochs count too. */
  readonly pace?: EpochPace;
  /** The broker has parked the module, and why; null: it handles commands. */
  readonly onParked: (reason: string | null) => void;
}

/**
 * One module that the broker knows: known, loading, loaded, crashed, unloaded. A process that ends unasked is replaced
 * after a pause that doubles; a module that keeps crashing is parked, says why, and the rest runs on.
 */
export class SupervisedModule extends ModuleStanding implements ServedModule {
  beat: Beat | undefined;
  readonly source: ModuleSource;
  readonly pace: EpochPace;
  readonly #around: ModuleSurroundings;
  readonly #onParked: (reason: string | null) => void;
  readonly #epochs: EpochRequests;
  /** Since it was loaded last. */
  #life: ModuleLife | undefined;
  #ended: Promise<void> = Promise.resolve();
  /** Another module object of that name is about to take over. */
  #isReplaced = false;
  readonly #configured = new NextNews<Configured>();
  /** Of the process that was answered last: what ran before it has stored nothing behind. */
  #epoch = 0;
  readonly #cut: ModuleCut;

  constructor({ source, around, pace = around.newPace(), onParked }: SupervisedModuleOptions) {
    super();
    this.source = source;
    this.pace = pace;
    this.#around = around;
    this.#onParked = onParked;
    this.#epochs = new EpochRequests(source.manifest.name, pace);
    this.#cut = new ModuleCut({
      shutOut: () => around.cut(source.manifest),
      kill: () => void this.process?.kill(),
      log: (text) => around.log(this.name, text, 'warn'),
    });
  }

  get name(): string {
    return this.source.manifest.name;
  }

  get manifest(): Manifest {
    return this.source.manifest;
  }

  get pid(): number | null {
    return this.process?.running === true ? this.process.pid : null;
  }

  /** Another process of it is about to take over: calls wait for that one. */
  get reloading(): boolean {
    return this.#isReplaced || this.#life?.isRestarting === true;
  }

  set reloading(isReplaced: boolean) {
    this.#isReplaced = isReplaced;
  }

  /** The process that was started last. */
  get process(): ModuleProcess | undefined {
    return this.#life?.process;
  }

  /** Of the process that was started last. */
  get processInstance(): string {
    return this.#life?.start?.instance ?? '';
  }

  /** It is asked to stop and has not stopped yet. */
  get stopping(): boolean {
    return this.#life?.isWanted !== true && this.isActive;
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
        this.begin();
        this.#life = new ModuleLife({
          source: this.source,
          around: this.#around,
          standing: this,
          pace: this.pace,
          cut: this.#cut,
          once,
          onParked: this.#onParked,
        });
        this.#ended = this.#life.run(resolve);
      });
  }

  /** Lets the module finish what it handles and ends it. Its commands stay in the log until it is loaded again. */
  async unload(): Promise<void> {
    this.waitsForConfig = false;
    if (this.#isReplaced) this.state = 'reloading';
    await this.#life?.stop();
    await this.#ended;
    this.state = this.#isReplaced ? 'reloading' : 'unloaded';
    this.reason = null;
  }

  /**
   * Lets its process finish what it handles, and starts another one, with the configuration of then. Resolves when that
   * one is ready, or with why it is not.
   */
  async restart(): Promise<Started> {
    return this.#life?.restart() ?? E.right(undefined);
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
    this.#life?.abandon();
  }

  /** Ends its process and shuts out its credential: it floods the broker. */
  cut(why: string, begins?: () => void): Promise<void> {
    return this.#cut.cut(why, begins);
  }

  /** The module's process asks for its epoch. See {@link EpochRequests}. */
  starts(request: StartRequest): TaskEither<Fault, StartReply> {
    return () => {
      this.#life?.start?.asked(request.instance);
      return this.#epochs.request(request, async () => {
        this.#life?.heard();
        const clock = this.#life?.start?.clock;
        clock?.asked();
        const started = await this.#around.start(this.manifest, request)();
        clock?.answered(E.isRight(started) ? started.right.foldRecords : 0);
        if (E.isRight(started)) this.#epoch = started.right.epoch;
        return started;
      });
    };
  }

  /** What the log has of the calls and the cancel of the handler of a command, whichever process made them. */
  recordedCalls(cause: number, fromSeq: number): TaskEither<Fault, CallsReply> {
    return this.#around.recordedCalls(this.name, cause, Math.max(fromSeq, this.#epoch));
  }

  /** What the log has of the handler of a command at a number, whichever process stored it. */
  recordedStep(cause: number, call: number): TaskEither<Fault, StepReply> {
    return this.#around.recordedStep(this.name, cause, call, this.#epoch);
  }

  /** The wakes of its handlers behind a sequence. */
  wakesAfter(after: number): TaskEither<Fault, WakesReply> {
    return this.#around.wakesAfter(this.name, after);
  }

  /** Commands that are cancelled and have no result, a page of them. */
  cancelledCommands(after: number): CancelledReply {
    return this.#around.cancelled?.(this.name, after) ?? { cancelled: [], more: false };
  }

  isReady(): void {
    this.#life?.heard();
    this.#life?.start?.isReady();
    // A follower continues to read with the consumer of its past.
    if (!isFollower(this.manifest)) void this.#around.started(this.name)();
  }

  beats(beat: Beat): void {
    this.#life?.heard();
    this.#life?.start?.clock.folded(beat.folded ?? 0);
    this.beat = beat;
  }
}
