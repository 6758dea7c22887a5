import { join } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import type { NatsConnection } from 'nats';
import { authenticatorOf } from '../../link/nkey.js';
import { isClientError } from '../../link/client-error.js';
import { sendNow } from '../../link/client-insides.js';
import { dial } from '../../link/dial.js';
import { failPoint } from '../../system/processes/fail-point.js';
import { linkState } from '../../link/link-state.js';
import { linkedRequest } from '../../link/linked-request.js';
import type { EpochEnd } from '../../journal/append/recovery.js';
import { isFoldedBy } from '../../store/snapshots/folded-elsewhere.js';
import { Snapshots } from '../../store/snapshots/snapshots.js';
import {
  type Beat,
  beatSubject,
  type Configured,
  configuredSubject,
  type ControlError,
  readySubject,
  type StartReply,
  startSubject,
} from '../../schemas/control.js';
import { DEFAULT_CONCURRENCY, isFollower } from '../../schemas/manifest.js';
import { FaultError, fault } from '../../schemas/errors.js';
import { AgentSeals } from '../../store/seals/agent-seals.js';
import type { TreeText } from '../../store/seals/key-tree.js';
import { compileChecks } from '../sdk/checks.js';
import { compileFoldable } from '../sdk/fold.js';
import type { ReadFoldable } from '../sdk/foldable.js';
import type { AnyModule } from '../sdk/module-shape.js';
import { Beats } from './beats.js';
import { BlackBox } from './black-box.js';
import { Cancels } from './cancels.js';
import { makeCall } from './calls.js';
import { recordedCalls, recordedStep } from './ask-recorded-calls.js';
import { Effects } from './effects.js';
import { hearAgain } from './hear-again.js';
import { machineClock } from './handler-clock.js';
import { inHand } from './command-in-hand.js';
import { sayLine as say } from './host-lines.js';
import type { HostConfig } from './host-config.js';
import { messageOf } from '../../text/thrown-message.js';
import { Follower } from './follow-events.js';
import { FoldError, foldPast, type PastOptions } from './read-past.js';
import { CommandScheduler } from './schedule/command-scheduler.js';
import { MeasuredTimes } from './measured-times.js';
import { type DeliveredCommand, Session } from './session.js';
import { ShelfFile } from './shelf-file.js';
import { States } from './states.js';
import { StepLog } from './step-log.js';
import { Throws } from './throws.js';
import { pause } from '../../system/async/pause.js';
import { Backoff } from '../../system/async/backoff.js';

/** What the environment of a module's process says; see docs/reference/protocol.md. */
export interface HostOptions {
  readonly url: string;
  readonly seed: string;
  readonly apiPrefix: string;
  readonly snapshotsDir: string;
  readonly lastExit: string;
  readonly instance: string;
  /** Of the manifest file, by which the broker judges; the code may have another one. */
  readonly hangMs: number;
  /** The keys of the agents of a module that encrypts. */
  readonly keys?: TreeText | undefined;
  /** Undefined: the module declares no configuration. */
  readonly config: HostConfig | undefined;
}

/**
 * How long the broker's answer is waited for before it is asked again, the longer the oftener. A request to a broker
 * whose connection is dead, which the server does not know yet, gets no reply; a start that reads much log
 * takes long.
 */
const FIRST_WAIT_MS = 5_000;
const MAX_WAIT_MS = 60_000;
const RECONNECT_MS = 100;
/** A connection that is lost in the middle of its handshake is noticed by this; the client's own 20 s are an outage. */
const DIAL_TIMEOUT_MS = 2_000;
const FIRST_RETRY_MS = 100;
const MAX_RETRY_MS = 5_000;
/** Of commands that wait far down the lane of an agent, in files. */
const MAX_SHELF_BYTES = 1024 * 1024 * 1024;

/** Runs one module in this process: session after session, until it is asked to stop. */
export class Host {
  readonly #checks;
  readonly #seals: AgentSeals | undefined;
  readonly #scheduler: CommandScheduler<DeliveredCommand>;
  readonly #effects: Effects;
  readonly #steps: StepLog;
  readonly #cancels: Cancels;
  readonly #throws: Throws;
  readonly #name: string;
  #session: Session | Follower | undefined;
  #states: States | undefined;
  #previous: EpochEnd | undefined;
  #handled = 0;
  readonly #times = new MeasuredTimes();
  /** Records of the past that the start under way has read. */
  #folded = 0;
  #stopping = false;
  #beats: Beats | undefined;
  readonly #waits = new Backoff(FIRST_WAIT_MS, MAX_WAIT_MS);

  private constructor(
    private readonly nc: NatsConnection,
    private readonly module: AnyModule,
    private readonly snapshots: Snapshots,
    private readonly read: ReadFoldable,
    private readonly blackBox: BlackBox,
    private readonly options: HostOptions,
    seals: AgentSeals | undefined,
  ) {
    this.#seals = seals;
    this.#name = module.manifest.name;
    this.#checks = compileChecks(module.manifest);
    this.#throws = new Throws(nc, this.#name, options.instance, say);
    const { culprit, suspects } = this.blackBox.lastMoments;
    const placesOf = (action: string): number =>
      module.manifest.actions[action]?.concurrency ?? DEFAULT_CONCURRENCY;
    this.#scheduler = new CommandScheduler({ culprit, suspects, placesOf }, () => this.#session?.makeRoom());
    this.#steps = new StepLog({
      calls: (cause, from) => recordedCalls(nc, this.#name, cause, from),
      at: (place) => recordedStep(nc, this.#name, place),
    });
    this.#effects = new Effects({
      module,
      checks: this.#checks,
      clock: machineClock,
      makeCall: (call) => makeCall(nc, call),
      blackBox,
      scheduler: this.#scheduler,
      random: () => Math.random(),
      steps: this.#steps,
      onWait: () => {
        if (this.#session instanceof Session) this.#session.watchWakes();
      },
      seals,
      hide: () => options.config?.hide,
      say,
      throws: this.#throws,
      cancels: { of: (command) => this.#cancels.of(command) },
      hadBegun: (command) => blackBox.lastMoments.begun.has(command),
    });
    hearAgain(nc, this.#name);
    this.#cancels = new Cancels(nc, this.#name, (command) => this.#effects.cancelled(command));
    // A handler that ends the process long after it began is still known by its asynchronous context.
    const blame = (): void => {
      const seq = inHand.getStore()?.seq;
      if (seq !== undefined) this.blackBox.enter(seq);
    };
    // Nothing that is handled is to blame; the next process folds the log instead.
    snapshots.onDamaged = ({ message }) => {
      say(`${message}: the module starts again, and folds its states from the log`);
      this.blackBox.close();
      process.exit(1);
    };
    process.on('exit', blame);
    process.on('uncaughtExceptionMonitor', blame);
  }

  /** Throws UPCAST_INVALID, and what the client throws. */
  static async connect(module: AnyModule, options: HostOptions): Promise<Host> {
    const seals = options.keys === undefined ? undefined : new AgentSeals(module.manifest.name, options.keys);
    const read = compileFoldable(module, seals);
    if (E.isLeft(read)) throw new FaultError(read.left);
    const snapshots = await Snapshots.open(options.snapshotsDir, options.lastExit, say);
    const blackBox = await BlackBox.open(join(options.snapshotsDir, 'in-hand'), options.lastExit);
    const nc = await dial({
      servers: options.url,
      name: `module ${module.manifest.name}`,
      authenticator: authenticatorOf(options.seed),
      redialMs: RECONNECT_MS,
      onThrown: say,
      timeout: DIAL_TIMEOUT_MS,
    });
    return new Host(nc, module, snapshots, read.right, blackBox, options, seals);
  }

  /** Handles commands until {@link stop}; resolves when all is stored and closed. */
  async run(): Promise<void> {
    const beats = new Beats({
      hangMs: this.options.hangMs,
      beat: () => this.#beat(),
      isBusy: () => this.#session === undefined || this.#session.pending > 0,
      send: (beat, now) => this.#send(beat, now),
    });
    this.#beats = beats;
    void this.#followConfig();
    const link = linkState(this.nc);
    const failed = new Backoff(FIRST_RETRY_MS, MAX_RETRY_MS);
    const threw = new Backoff(2 * FIRST_RETRY_MS, MAX_RETRY_MS);
    while (!this.#stopping) {
      if (!link.isUp) {
        await pause(FIRST_RETRY_MS);
        continue;
      }
      try {
        const session = await this.#open();
        failed.reset();
        this.#waits.reset();
        const reason = await session.ended;
        this.#previous = session.end;
        if (!this.#stopping) say(`a new epoch is needed: ${reason.code}: ${reason.message}`);
        // What this process threw it may throw again, and each epoch is two records of the log.
        if (reason.code !== 'INTERNAL') threw.reset();
        else if (!this.#stopping) await pause(threw.take());
      } catch (error) {
        if (error instanceof FoldError) throw error;
        // It took commands already: the next one is to have them alone.
        this.#session?.abandon(fault('LOG_UNAVAILABLE', 'the start did not succeed'));
        this.#previous = this.#session?.end ?? this.#previous;
        if (!this.#stopping) say(`the start did not succeed and is tried again: ${(error as Error).message}`);
        // A full log, say, is not less full in a moment.
        await pause(failed.take());
        // One that failed at once says nothing of how long an answer takes.
        if (isClientError(error, 'TimeoutError')) this.#waits.take();
      }
      this.#session = undefined;
      await this.#states?.close();
      this.#states = undefined;
    }
    beats.close();
    this.blackBox.close();
    await this.snapshots.close();
    await this.nc.drain();
  }

  /** Finishes what is being handled, begins nothing more. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#scheduler.drain();
    this.#effects.drain();
    if ((this.#session?.pending ?? 0) > 0) say('stops once what is under way is finished');
    await this.#session?.drain();
  }

  /** Takes each configuration that comes while the process runs, and tells the broker. */
  async #followConfig(): Promise<void> {
    await this.options.config?.follow(this.module, (version, error) => {
      const said = messageOf(error);
      const problem = this.options.config?.hide?.(said) ?? said;
      const configured: Configured = {
        version,
        ...(error === undefined ? {} : { problem }),
        instance: this.options.instance,
      };
      if (!this.nc.isClosed()) this.nc.publish(configuredSubject(this.#name), JSON.stringify(configured));
    });
  }

  async #open(): Promise<Session | Follower> {
    const { position } = this.snapshots.generation;
    // States with no key, or with others, are of no use either.
    const isOfKeys = position?.seals === this.#seals?.id;
    const usable =
      position !== undefined && isOfKeys && isFoldedBy(position, this.module) ? position : undefined;
    failPoint('host.starting');
    this.#cancels.opening();
    const start = await this.#control<StartReply>(startSubject(this.#name), {
      snapshotSeq: usable?.seq ?? 0,
      logId: usable?.logId ?? null,
      instance: this.options.instance,
      ...(this.#previous === undefined ? {} : { previous: this.#previous }),
    });
    failPoint('host.epoch-opened');
    await this.#cancels.begin(start.cancelled === true);
    // Snapshots of other code, of another log, or of a log that was longer are of no use: fold the log again.
    if (start.snapshotSeq === 0 && position !== undefined) {
      if (usable === undefined)
        say(`its states were folded up to ${position.seq} by other code: they are folded from the log again`);
      // What other code folded was true of this log, and is shown until there is better.
      if (usable !== undefined || position.logId !== start.logId) this.snapshots.withdraw();
      await this.snapshots.begin();
    }
    const states = new States(this.module, this.snapshots.generation, start.logId, say, this.#seals);
    this.#states = states;
    const { apiPrefix } = this.options;
    this.#folded = 0;
    const onRead = (): void => {
      this.#folded += 1;
    };
    const past = { nc: this.nc, apiPrefix, read: this.read, start, states, onRead };
    const session = await (isFollower(this.module.manifest) ? this.#follow(past) : this.#handle(past));
    this.#session = session;
    await this.#control(readySubject(this.#name), { pid: process.pid, instance: this.options.instance });
    failPoint('host.ready');
    if (this.#stopping) await session.drain();
    return session;
  }

  /** A module with actions: what its commands cause is folded as it is stored. */
  async #handle(past: PastOptions): Promise<Session> {
    const answered = await foldPast(past);
    await this.#published(past.states);
    return new Session({
      nc: this.nc,
      apiPrefix: past.apiPrefix,
      module: this.module,
      checks: this.#checks,
      seals: this.#seals,
      start: past.start,
      states: past.states,
      answered,
      scheduler: this.#scheduler,
      effects: this.#effects,
      steps: this.#steps,
      cancels: this.#cancels,
      blackBox: this.blackBox,
      config: this.options.config,
      throws: this.#throws,
      shelf: new ShelfFile(join(this.options.snapshotsDir, 'waiting'), MAX_SHELF_BYTES),
      say,
      onReceived: () => this.#beats?.stir(),
      onHandled: () => {
        this.#handled += 1;
      },
      times: this.#times,
    });
  }

  /** A module without actions: it continues to read where its past ends. */
  async #follow(past: PastOptions): Promise<Follower> {
    const following = new Follower({
      ...past,
      onReceived: () => this.#beats?.stir(),
      onFolded: () => {
        this.#handled += 1;
      },
    });
    const lost = following.ended.then((reason) => {
      throw new FaultError(reason);
    });
    await Promise.race([following.caughtUp, lost]);
    await this.#published(past.states);
    return following;
  }

  /** The past is in the states: from now on others may see them. */
  async #published(states: States): Promise<void> {
    await states.saved();
    this.snapshots.publish();
    failPoint('host.folded');
  }

  async #control<T extends object>(subject: string, body: object): Promise<T> {
    const reply = await linkedRequest(this.nc, subject, JSON.stringify(body), {
      timeout: this.#waits.nextMs,
    });
    const answer = reply.json<T | ControlError>();
    if ('error' in answer) throw new Error(`${answer.error.code}: ${answer.error.message}`);
    return answer;
  }

  #beat(): Beat {
    return {
      pid: process.pid,
      handled: this.#handled,
      pending: this.#session?.pending ?? 0,
      agents: this.#states?.size ?? 0,
      unsaved: this.#states?.waiting ?? 0,
      folded: this.#folded,
      times: this.#times.counts,
      instance: this.options.instance,
    };
  }

  #send(beat: string, now: boolean): void {
    if (this.nc.isClosed()) return;
    this.nc.publish(beatSubject(this.#name), beat);
    if (now) sendNow(this.nc);
  }
}
