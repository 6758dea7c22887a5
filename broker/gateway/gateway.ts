import * as E from 'fp-ts/lib/Either.js';
import type { Msg, NatsConnection } from 'nats';
import { type Fault, fault } from '../../schemas/errors.js';
import { CARRIED, HEADER } from '../../schemas/headers.js';
import { parseSequence } from '../../schemas/identity.js';
import { isPeople } from '../../schemas/names.js';
import { storedCommandSubject } from '../../schemas/subjects.js';
import type { LogIndex } from '../index/log-index.js';
import type { OpenCommand } from '../index/open-commands.js';
import type { BrokerReader } from '../reader/broker-reader.js';
import { passed } from './passed-points.js';
import type { Settle } from '../../journal/append/draft.js';
import type { Producer } from '../../journal/producer/producer.js';
import { type Listening, modulesEntrance, sayFailed, serve } from '../serving/serve.js';
import { SERVED } from '../serving/served.js';
import { type AdmittedCall, actionOf, admitCall, admitHandlerCall } from './call-admission.js';
import type { Sealing } from '../sealing/sealing.js';
import type { Entrance } from '../serving/entrance.js';
import type { ModuleDirectory } from './directory.js';
import type { Door } from './door.js';
import { AskedResults } from './asked-results.js';
import { serveDiscovery } from './discovery.js';
import { HandlerCalls, type HandlerCallsOptions } from './handler-calls.js';
import { KeyedCalls } from './keyed-calls.js';
import type { KeyedCommands } from './keyed-commands.js';
import { replyFault } from './reply.js';
import { carriedOf, keyIn, type RequestHeaders, readRequest } from './request.js';
import { ResultWaits } from './result-waits.js';
import { everyOnGrid } from '../../system/async/grid.js';
import { pause } from '../../system/async/pause.js';

export interface GatewayOptions {
  readonly nc: NatsConnection;
  readonly producer: Producer;
  /** Brings the results that callers wait for. */
  readonly reader: Pick<BrokerReader, 'on'>;
  readonly index: LogIndex;
  /** Stores commands that have a key. */
  readonly keyed: KeyedCommands;
  readonly directory: ModuleDirectory;
  /** Takes commands from when calls are taken on, and as long. */
  readonly door: Door;
  /** Encrypts what is stored for modules that want it, and decrypts their results. */
  readonly sealing: Pick<Sealing, 'input' | 'result'>;
  /** Whether an account may have the results of all commands. */
  readonly seesAll: (account: string) => boolean;
  /** Where calls of people come in. */
  readonly entrance: Entrance;
  /** Why the log can take nothing now, where that is known before it is tried. */
  readonly refusal?: () => Fault | undefined;
  /** Calls that wait for a result; above it a call is refused with OVERLOADED. */
  readonly maxPending?: number;
  /** How long a call may wait before its caller is told that it is recorded and unanswered, milliseconds. */
  readonly maxWaitMs?: number;
}

/** Headers that a call may have. */
const OF_PEOPLE: ReadonlySet<string> = new Set([...CARRIED, HEADER.key]);
const OF_MODULES: ReadonlySet<string> = new Set([...CARRIED, HEADER.cause, HEADER.call]);
const headersFor = (sender: string): ReadonlySet<string> => (isPeople(sender) ? OF_PEOPLE : OF_MODULES);

const SWEEP_MS = 5_000;

/**
 * Serves `call.<module>.<action>[.<agent>]` for every module: records the command, and has the caller wait for its
 * result ({@link ResultWaits}).
 */
export class Gateway {
  readonly #options: Required<Omit<GatewayOptions, 'refusal'>> & Pick<GatewayOptions, 'refusal'>;
  readonly #waits: ResultWaits;
  /** Calls that handlers make. */
  readonly handlerCalls: HandlerCalls;
  readonly #keyedCalls: KeyedCalls;
  readonly #askedResults: AskedResults;
  /** Subscriptions to what callers send. */
  readonly #serving: Listening[] = [];
  #endSweep: () => void = () => undefined;
  #draining = false;
  #retired = false;

  constructor(options: GatewayOptions) {
    this.#options = { maxPending: 200_000, maxWaitMs: 600_000, ...options };
    this.#waits = new ResultWaits(options);
    options.index.on('result', (command) => this.#count(command));
    const answering: Pick<HandlerCallsOptions, 'wait' | 'refuse' | 'fetch'> = {
      wait: (...call) => this.#waits.add(...call),
      refuse: (msg, why) => this.#refuse(msg, why),
      fetch: (command, resultSeq) => void this.#waits.fetch(command, resultSeq),
    };
    const record: HandlerCallsOptions['record'] = (msg, ...call) =>
      this.#record({ msg, data: msg.data }, ...call);
    this.handlerCalls = new HandlerCalls({ ...answering, nc: options.nc, index: options.index, record });
    this.#keyedCalls = new KeyedCalls({
      ...answering,
      keyed: options.keyed,
      directory: options.directory,
      sealing: options.sealing,
      busy: () => this.#busy(true),
      refusal: () => options.refusal?.(),
    });
    this.#askedResults = new AskedResults({
      ...answering,
      nc: options.nc,
      index: options.index,
      directory: options.directory,
      seesAll: options.seesAll,
      busy: () => this.#busy(true),
    });
  }

  start(): void {
    const { nc, directory, door, maxWaitMs, entrance } = this.#options;
    const calls = { nc, handle: (msg: Msg) => this.#called(msg), refuse: replyFault };
    this.#serving.push(
      serve({ ...calls, subject: SERVED.calls, entrance }),
      serve({ ...calls, subject: SERVED.results, entrance, handle: (msg) => this.#askedForResult(msg) }),
      // A handler's call may be what a call of people waits for, so it waits for no result of another call.
      serve({ ...calls, subject: SERVED.moduleCalls, entrance: modulesEntrance(nc, entrance) }),
      serveDiscovery(nc, directory, entrance),
    );
    door.start();
    this.#endSweep = everyOnGrid(SWEEP_MS, () => this.#waits.expire(performance.now() - maxWaitMs));
  }

  get pending(): number {
    return this.#waits.size;
  }

  /** The index has read the result of a command. */
  #count({ module, name }: OpenCommand): void {
    const served = this.#options.directory.find(module);
    // Anyone can send a command to an action that does not exist. Counts of those would never end.
    if (served !== undefined && actionOf(served, name) !== undefined) served.stats.handled(name);
  }

  /**
   * Takes no more calls but those that handlers make to finish what they are about; those that wait are answered until
   * {@link close}.
   */
  async drain(withinMs: number): Promise<void> {
    this.#draining = true;
    // No other broker replies to requests that were sent to this one. But waiting requests would not end in that time.
    if (this.#retired) return;
    const until = performance.now() + withinMs;
    const { producer, door } = this.#options;
    // Commands are taken to the end: they wait in the log for the next start.
    const isBusy = (): boolean => this.#waits.size + producer.pending - door.storing > 0;
    while (isBusy() && performance.now() < until) {
      await pause(10);
    }
  }

  /** Another broker serves calls now. It replies to all later calls, also with errors. */
  retire(): void {
    this.#retired = true;
    this.#options.door.close();
    for (const subscription of this.#serving.splice(0)) subscription.unsubscribe();
  }

  close(): void {
    this.#endSweep();
    this.retire();
    this.#waits.expire(Number.POSITIVE_INFINITY);
  }

  #called(msg: Msg): void | Promise<void> {
    if (msg.reply === undefined || msg.reply === '') return; // No caller waits: a command would be right here.
    const started = performance.now();
    const { directory } = this.#options;
    const read = readRequest(msg, directory, headersFor);
    if (E.isLeft(read)) return this.#refuse(msg, read.left);
    const { headers } = read.right;
    const call = headers[HEADER.call] === undefined ? undefined : parseSequence(headers[HEADER.call] ?? '');
    if (headers[HEADER.call] !== undefined && call === undefined) {
      return this.#refuse(msg, fault('HEADER_INVALID', `${HEADER.call} is no number from 1`));
    }
    const request = { ...read.right, payloadBytes: msg.data.length };
    const key = keyIn(headers);
    if (E.isLeft(key)) return this.#refuse(msg, key.left);
    if (key.right !== undefined) {
      // Not awaited: until it has its reply, the call keeps its place among those of its connection.
      const called = this.#keyedCalls.called(msg, { request, headers, key: key.right, started });
      return void called.catch((thrown: unknown) => sayFailed(msg, String(thrown)));
    }
    const admitted =
      call === undefined ? admitCall(request, directory) : admitHandlerCall(request, directory);
    if (E.isLeft(admitted)) {
      if (call === undefined) return this.#refuse(msg, admitted.left);
      return this.handlerCalls.inadmissible(msg, read.right, call, admitted.left);
    }
    const { module, address, sender } = admitted.right;
    const manifest = module?.manifest;
    const sealed = this.#options.sealing.input({ address, sender, manifest, data: msg.data });
    if (E.isLeft(sealed)) {
      if (call === undefined) return this.#refuse(msg, sealed.left);
      return this.handlerCalls.inadmissible(msg, read.right, call, sealed.left);
    }
    const busy = this.#busy(call === undefined);
    if (busy !== undefined) return this.#refuse(msg, busy);
    const refusal = call === undefined ? this.#options.refusal?.() : undefined;
    if (refusal !== undefined) return this.#refuse(msg, refusal);
    if (call === undefined)
      this.#record({ msg, data: sealed.right }, admitted.right, carriedOf(headers), started);
    else return this.handlerCalls.called(msg, admitted.right, headers, call, started);
  }

  #askedForResult(msg: Msg): void {
    // Not awaited: until it has its reply, the request keeps its place among those of its connection.
    this.#askedResults.asked(msg).catch((thrown: unknown) => sayFailed(msg, String(thrown)));
  }

  /** Why no call may be taken now, whatever it asks for. */
  #busy(isOfPeople: boolean): Fault | undefined {
    if (this.#draining && isOfPeople) return fault('MODULE_UNAVAILABLE', 'the broker is about to stop');
    const waiting = this.#waits.size;
    return waiting >= this.#options.maxPending
      ? fault('OVERLOADED', `${waiting} calls wait for results; try again in 1 s`)
      : undefined;
  }

  #refuse(msg: Msg, problem: Fault): void {
    // The broker that has taken over has the call too, and may have recorded it.
    if (this.#retired || problem.code === 'EPOCH_LOST') return;
    this.#options.entrance.refused?.(msg, problem);
    const [, name, action] = msg.subject.split('.');
    const module = this.#options.directory.find(name ?? '');
    if (module !== undefined && actionOf(module, action ?? '') !== undefined)
      module.stats.record(action as string, 0, problem.code);
    replyFault(msg, problem);
  }

  /** `data`: the payload as it is stored. */
  #record(
    { msg, data }: { readonly msg: Msg; readonly data: Uint8Array },
    admitted: AdmittedCall,
    headers: RequestHeaders,
    started: number,
    recorded?: (outcome: E.Either<Fault, number>) => void,
  ): void {
    passed.called();
    const subject = storedCommandSubject(admitted.address, admitted.sender);
    const { usages } = this.#options.entrance;
    const usage = usages.of(admitted.sender);
    const bytes = subject.length + msg.data.length;
    const module = admitted.module === undefined ? undefined : admitted.address.module;
    const full = usages.full({ sender: admitted.sender, module, bytes });
    if (full !== undefined) {
      this.#refuse(msg, full);
      recorded?.(E.left(full));
      return;
    }
    usage.share.storing(bytes);
    const settle: Settle = (outcome) => {
      usage.share.settled(bytes, E.isRight(outcome) ? outcome.right.seq : undefined);
      passed.recorded();
      if (E.isLeft(outcome)) this.#refuse(msg, outcome.left);
      else this.#waits.add(msg, admitted, outcome.right.seq, started);
      recorded?.(E.isLeft(outcome) ? outcome : E.right(outcome.right.seq));
    };
    // A handler that runs again makes its calls again: one that the outbox had would then be there twice.
    const keep = headers[HEADER.call] === undefined;
    this.#options.producer.submit({ subject, data, headers }, settle, { keep });
  }
}
