import * as E from 'fp-ts/lib/Either.js';
import { composeLetter } from '../../broker/dead/letter.js';
import { dueWake, settledWake, signalDraft, signalledWake } from '../../broker/waits/wake-draft.js';
import { isName } from '../../schemas/names.js';
import { parsePromiseId, type PromiseVerb } from '../../schemas/promise.js';
import { MAX_KEPT_SIGNALS, type SignalAddress } from '../../schemas/signal.js';
import { admitHandlerCall, causeNotOpen, moduleUnknown } from '../../broker/gateway/call-admission.js';
import type { ModuleDirectory, ServedModule } from '../../broker/gateway/directory.js';
import { callDiffers, refusedDiffers, shownCall, stepIn } from '../../broker/gateway/replayed-call.js';
import { ServiceStats } from '../../broker/gateway/service-stats.js';
import type { Draft } from '../../journal/append/draft.js';
import type { CallAnswer, HandlerCall } from '../../modules/host/calls.js';
import type { StepPlace } from '../../modules/host/step-log.js';
import type { StepReply } from '../../schemas/control.js';
import type { CompiledModule } from '../../modules/sdk/compiled-module.js';
import type { DeadLetter } from '../../schemas/dead.js';
import { parseInstant } from '../../schemas/instant.js';
import { encodeJson } from '../../schemas/json.js';
import { type Wake, WAITS_SENDER } from '../../schemas/wake.js';
import { type Fault, FaultError, fault } from '../../schemas/errors.js';
import { HEADER } from '../../schemas/headers.js';
import type { Manifest } from '../../schemas/manifest.js';
import { causeOf, conversationOf, type StoredMessage } from '../../schemas/record.js';
import { type Refusal, type Result, refusal } from '../../schemas/result.js';
import { addressText, splitSubject, storedCommandSubject } from '../../schemas/subjects.js';
import { HandClock } from './hand-clock.js';
import { MemoryHearings } from './memory-hearings.js';
import { MemoryLog } from './memory-log.js';
import { MemoryModule } from './memory-module.js';
import { MemoryStates } from './memory-states.js';
import { MemoryViews } from './memory-views.js';
import { RunningHandlers } from './running-handlers.js';
import { TurnQueue } from './turn-queue.js';

/** A wait of a handler that is open. */
interface MemoryWait {
  readonly module: string;
  readonly record: StoredMessage;
  readonly call: number;
  /** Of the signal that it waits for. */
  readonly key: string | undefined;
}

/** The producer of the commands of clients and of calls. */
const GATEWAY = 'gateway';

const decoder = new TextDecoder();

/** The server appends the sender to the subject of a command. */
const asStoredBy = (module: string, draft: Draft): Draft =>
  draft.subject.startsWith('cmd.') ? { ...draft, subject: `${draft.subject}.${module}` } : draft;

export const resultIn = ({ data }: StoredMessage): E.Either<Refusal, unknown> => {
  const result = JSON.parse(decoder.decode(data)) as Result;
  return result.status === 'ok' ? E.right(result.data) : E.left(result);
};

/**
 * What the broker is to modules and callers, in one process: it stores records, brings commands to their modules and
 * results to their callers.
 */
export class MemoryBroker {
  readonly clock: HandClock;
  readonly log: MemoryLog;
  readonly turns = new TurnQueue();
  readonly running = new RunningHandlers(this.turns);
  readonly letters: DeadLetter[] = [];
  readonly directory: Pick<ModuleDirectory, 'find'>;
  readonly #modules = new Map<string, MemoryModule>();
  /** By the sequence of their command. */
  readonly #results = new Map<number, StoredMessage>();
  readonly #waiting = new Map<number, ((result: StoredMessage) => void)[]>();
  readonly #stacks = new Map<number, string>();
  /** Waits that are open, in the order of the log. */
  readonly #waits: MemoryWait[] = [];
  /** Signals that no wait has taken, likewise. */
  readonly #signals: { readonly key: string; readonly record: StoredMessage }[] = [];
  /** How waits ended, by the sequences of their records. */
  readonly #wakes = new Map<number, Wake>();
  /** The calls of each handler, by the sequence of its command and by their numbers. */
  readonly #calls = new Map<number, Map<number, StoredMessage>>();

  readonly #hearers = new Set<() => void>();
  readonly #hearings: MemoryHearings;
  readonly #views = new MemoryViews();
  readonly #aborts = new WeakMap<AbortSignal, Promise<undefined>>();

  constructor(
    compiled: readonly CompiledModule[],
    startMs: number,
    configs: ReadonlyMap<string, unknown> = new Map(),
  ) {
    this.clock = new HandClock(startMs);
    this.log = new MemoryLog(this.clock.now);
    const listeners = compiled.map(({ module }) => module.manifest as unknown as Manifest);
    this.#hearings = new MemoryHearings(
      listeners,
      (producer, draft) => this.store(producer, draft),
      (seq) => E.toUnion(E.mapLeft(() => undefined)(this.log.at(seq))),
    );
    const served = new Map<string, ServedModule>();
    this.directory = { find: (name) => served.get(name) };
    for (const { module, checks } of compiled) {
      const { name } = module.manifest;
      const manifest = module.manifest as unknown as Manifest;
      const view = manifest.folds === undefined ? undefined : new MemoryStates(module);
      if (view !== undefined) this.#views.add(module, view);
      const running = { state: 'loaded', stopping: false, reloading: false } as const;
      served.set(name, { manifest, ...running, instance: name, stats: new ServiceStats() });
      const { clock, turns } = this;
      this.#modules.set(
        name,
        new MemoryModule({
          module,
          checks,
          states: view ?? new MemoryStates(module),
          config: { current: configs.get(name) },
          clock,
          turns,
          running: this.running,
          store: (draft) => this.store(name, asStoredBy(name, draft)),
          makeCall: (call) => this.#call(name, call),
          lastCall: (command) => Math.max(0, ...(this.#calls.get(command)?.keys() ?? [])),
          recordedAt: ({ cause, call }) => this.#recordedAt(cause, call),
          storeStep: (place, draft, isOver) => this.#storeStep(name, place, draft, isOver),
          onThrown: (command, stack) => this.#stacks.set(command, stack),
        }),
      );
    }
  }

  /** Calls back for each event that is stored. */
  onEvent(hear: () => void): void {
    this.#hearers.add(hear);
  }

  module(name: string): MemoryModule | undefined {
    return this.#modules.get(name);
  }

  /** Stores a command of a client or of a handler. */
  command(subject: string, data: Uint8Array, headers: Draft['headers'] = {}): E.Either<Fault, StoredMessage> {
    return this.store(GATEWAY, { subject, data, headers });
  }

  /** Stores a record, and brings it to those whom it concerns. */
  store(producer: string, draft: Draft): E.Either<Fault, StoredMessage> {
    const stored = this.log.append(producer, draft);
    if (E.isLeft(stored)) return stored;
    const record = stored.right;
    const subject = splitSubject(record.subject);
    if (subject?.kind === 'cmd') this.turns.add(() => this.#modules.get(subject.module)?.received(record));
    if (subject?.kind === 'res') this.#answered(record);
    if (subject?.kind === 'evt') {
      this.#hearings.published(record);
      this.#views.published(record);
      for (const hear of this.#hearers) hear();
    }
    return stored;
  }

  /** Resolves with the result of a command. */
  result(command: number): Promise<StoredMessage> {
    const known = this.#results.get(command);
    if (known !== undefined) return Promise.resolve(known);
    return new Promise((resolve) => {
      this.#waiting.set(command, [...(this.#waiting.get(command) ?? []), resolve]);
    });
  }

  #answered(result: StoredMessage): void {
    const command = causeOf(result) as number;
    this.#results.set(command, result);
    if (result.header(HEADER.dead) !== undefined) this.#letter(command, result);
    for (const resolve of this.#waiting.get(command) ?? []) resolve(result);
    this.#waiting.delete(command);
  }

  #letter(command: number, result: StoredMessage): void {
    const sent = this.log.at(command);
    if (E.isLeft(sent)) return;
    const letter = composeLetter(sent.right, result, result.time, () => this.#stacks.get(command));
    if (E.isRight(letter)) this.letters.push(JSON.parse(letter.right) as DeadLetter);
  }

  /** A call of a handler. One that it made in an earlier try gets the same result again (I11). */
  async #call(module: string, asked: HandlerCall): Promise<CallAnswer> {
    const { target, body, cause, call, signal } = asked;
    const refused = (why: Fault): CallAnswer => ({ said: E.left(refusal(why)), isRecorded: false });
    const late: CallAnswer = {
      said: E.left(refusal(fault('HANDLER_TIMEOUT', 'the handler had no time left for the call'))),
      isRecorded: undefined,
    };
    if (signal.aborted) return late;
    const made = this.#calls.get(cause)?.get(call);
    const place = { cause, call, ...(made === undefined ? {} : { seq: made.seq }) };
    const request = { subject: addressText(target), sender: module, payloadBytes: body.length };
    const admitted = admitHandlerCall(request, this.directory);
    if (E.isLeft(admitted))
      return refused(made === undefined ? admitted.left : refusedDiffers(place, admitted.left));
    if (this.#results.has(cause)) return refused(causeNotOpen(cause, module));
    const subject = storedCommandSubject(target, module);
    if (made !== undefined) {
      const differs = callDiffers(place, made, { subject, data: body });
      if (differs !== undefined) return refused(differs);
    }
    const stored = made === undefined ? this.#storeCall(subject, asked) : E.right(made);
    if (E.isLeft(stored)) return refused(stored.left);
    const result = await Promise.race([this.result(stored.right.seq), this.#abortOf(signal)]);
    return result === undefined ? late : { said: resultIn(result), isRecorded: true };
  }

  /** Resolves when the time of a handler is over. One listener serves all its calls: Node warns at the eleventh. */
  #abortOf(signal: AbortSignal): Promise<undefined> {
    const known = this.#aborts.get(signal);
    if (known !== undefined) return known;
    const aborted = new Promise<undefined>((resolve) => {
      signal.addEventListener('abort', () => resolve(undefined), { once: true });
    });
    this.#aborts.set(signal, aborted);
    return aborted;
  }

  #recordedAt(cause: number, call: number): StepReply {
    const record = this.#calls.get(cause)?.get(call);
    if (record === undefined) return {};
    const step = stepIn(record);
    if (step === undefined) return { seq: record.seq, other: shownCall(record) };
    const wake = this.#wakes.get(record.seq);
    return { seq: record.seq, step, ...(wake === undefined ? {} : { wake }) };
  }

  /** Stores a signal, and brings it to the first wait for it. */
  signal(address: SignalAddress, by: string, data: unknown): E.Either<Fault, StoredMessage> {
    const { module, name, agent } = address;
    const odd = [name, agent].find((part) => !isName(part));
    if (odd !== undefined)
      return E.left(
        fault('SIGNAL_INVALID', 'a signal is sent to signal.MODULE.NAME.AGENT, of A-Z a-z 0-9 _ -'),
      );
    if (!this.#modules.has(module)) return E.left(moduleUnknown(module));
    const key = `${module}/${agent}/${name}`;
    if (this.#signals.filter((each) => each.key === key).length >= MAX_KEPT_SIGNALS)
      return E.left(
        fault('SIGNALS_FULL', `agent ${agent} of ${module} keeps ${MAX_KEPT_SIGNALS} signals ${name}`),
      );
    const stored = this.store(
      WAITS_SENDER,
      signalDraft(address, { by, ...(data === undefined ? {} : { data }) }),
    );
    if (E.isRight(stored)) {
      this.#signals.push({ key, record: stored.right });
      this.#meet();
    }
    return stored;
  }

  /** The holder of an id ends its promise. */
  settle(verb: PromiseVerb, id: string, payload: Uint8Array): E.Either<Fault, void> {
    const asked = parsePromiseId(id);
    const wake = settledWake(verb, payload);
    if (E.isLeft(wake)) return wake;
    const wait = this.#waits.find(
      ({ record, call }) => asked !== undefined && causeOf(record) === asked.cause && call === asked.call,
    );
    const isOver = asked !== undefined && this.#results.has(asked.cause);
    if (
      isOver ||
      asked === undefined ||
      wait === undefined ||
      wait.record.header(HEADER.promise) !== asked.secret
    )
      return E.left(fault('PROMISE_UNKNOWN', 'no handler waits for a promise with that id'));
    return E.right(this.#wake(wait, wake.right));
  }

  #meet(): void {
    for (const wait of [...this.#waits]) {
      const at = this.#signals.findIndex(({ key }) => key === wait.key);
      if (wait.key === undefined || at < 0 || this.#results.has(causeOf(wait.record) as number)) continue;
      const [signal] = this.#signals.splice(at, 1);
      this.#wake(wait, signalledWake(signal?.record.data));
    }
  }

  /** A wait is over. */
  #wake(wait: MemoryWait, wake: Wake): void {
    const { module, record, call } = wait;
    const cause = causeOf(record) as number;
    const at = this.#waits.indexOf(wait);
    if (at < 0 || this.#results.has(cause)) return;
    this.#waits.splice(at, 1);
    const stored = this.store(WAITS_SENDER, {
      subject: record.subject.replace(/^step/, 'wake'),
      data: encodeJson(wake),
      headers: {
        [HEADER.cause]: String(cause),
        [HEADER.call]: String(call),
        [HEADER.conversation]: String(conversationOf(record)),
      },
    });
    if (E.isLeft(stored)) throw new FaultError(stored.left);
    this.#wakes.set(record.seq, wake);
    this.turns.add(() => this.#modules.get(module)?.woken(cause));
  }

  #storeStep(
    module: string,
    { cause, call }: StepPlace,
    draft: Draft,
    isOver: boolean,
  ): E.Either<Fault, number> {
    if (isOver || this.#results.has(cause))
      return E.left(fault('HANDLER_TIMEOUT', 'the handler had no time left for the step'));
    const stored = this.store(module, draft);
    if (E.isLeft(stored)) return stored;
    this.#calls.set(cause, (this.#calls.get(cause) ?? new Map()).set(call, stored.right));
    const step = stepIn(stored.right);
    if (step?.status === 'waiting') {
      const { agent = '' } = splitSubject(stored.right.subject) as { agent?: string };
      const key = step.signal === undefined ? undefined : `${module}/${agent}/${step.signal}`;
      const wait: MemoryWait = { module, record: stored.right, call, key };
      this.#waits.push(wait);
      this.#meet();
      if (step.until !== undefined) {
        const ms = Math.max(0, (parseInstant(step.until) ?? 0) - this.clock.now());
        const { signal } = step;
        const { promise } = step;
        const named = promise === undefined ? {} : { promise };
        const due = signal === undefined ? named : { signal: { module, agent, name: signal } };
        this.clock.after(ms, () => this.#wake(wait, dueWake({ cause, call, module, untilMs: 0, ...due })));
      }
    }
    return E.right(stored.right.seq);
  }

  #storeCall(subject: string, { body, cause, call, urgent }: HandlerCall): E.Either<Fault, StoredMessage> {
    const command = this.log.at(cause);
    if (E.isLeft(command)) return command;
    const stored = this.command(subject, body, {
      ...(urgent ? { [HEADER.priority]: 'urgent' } : {}),
      [HEADER.cause]: String(cause),
      [HEADER.call]: String(call),
      [HEADER.conversation]: String(conversationOf(command.right)),
    });
    if (E.isRight(stored))
      this.#calls.set(cause, (this.#calls.get(cause) ?? new Map()).set(call, stored.right));
    return stored;
  }
}
