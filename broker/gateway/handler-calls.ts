import * as E from 'fp-ts/lib/Either.js';
import type { Msg, NatsConnection } from 'nats';
import type { CallsReply, StepReply } from '../../schemas/control.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { HEADER } from '../../schemas/headers.js';
import { parseSequence } from '../../schemas/identity.js';
import { causeOf } from '../../schemas/record.js';
import type { Restart } from '../../schemas/restart.js';
import { storedCommandSubject } from '../../schemas/subjects.js';
import type { LogIndex } from '../index/log-index.js';
import type { OpenCommand } from '../index/open-commands.js';
import { recordsAt } from '../../journal/read/records-at.js';
import { type AdmittedCall, causeNotOpen } from './call-admission.js';
import { restartAt } from './stored-restart.js';
import { carriedOf, type RequestHeaders, type SignedRequest } from './request.js';
import {
  callDiffers,
  type RequestedCall,
  refusedDiffers,
  shownCall,
  stepIn,
  wakeIn,
} from './replayed-call.js';

/** A cause was delivered to its module, so the index, which reads the same log, is at most this far behind. */
const CAUSE_WAIT_MS = 20_000;

/** A call of a handler that is on its way into the log. */
interface Recording extends RequestedCall {
  /** Its sequence. */
  readonly stored: Promise<E.Either<Fault, number>>;
  /** Resolves when the index has it, or it is known not to be stored. */
  readonly known: Promise<void>;
}

const callKey = (sender: string, cause: number, call: number): string => `${sender}/${cause}/${call}`;

export interface HandlerCallsOptions {
  readonly nc: NatsConnection;
  readonly index: LogIndex;
  /** Appends the command of a call, with these headers, and has its caller wait for the result. */
  readonly record: (
    msg: Msg,
    admitted: AdmittedCall,
    headers: Readonly<Record<string, string>>,
    started: number,
    recorded: (outcome: E.Either<Fault, number>) => void,
  ) => void;
  /** Has a caller wait for the result of a command. */
  readonly wait: (msg: Msg, admitted: AdmittedCall, command: number, started: number) => void;
  readonly refuse: (msg: Msg, why: Fault) => void;
  /** Brings a result that is in the log to those who wait for it. */
  readonly fetch: (command: number, resultSeq: number) => void;
}

/**
 * The calls that handlers make. Each is one command permanently, however often its handler runs; a handler that runs
 * again must ask for what the log has (I11).
 */
export class HandlerCalls {
  /** Those that are on their way into the log, by caller, cause and number. */
  readonly #recording = new Map<string, Recording>();
  /** The highest sequence that one was recorded at. */
  #lastRecorded = 0;

  constructor(private readonly options: HandlerCallsOptions) {}

  /**
   * What the log has of the handler of this command: the highest number of a call, and whether it is cancelled.
   * `fromSeq`: the log is read up to there at least, so that nothing which an earlier process stored is missed.
   */
  async recorded(module: string, cause: number, fromSeq: number): Promise<E.Either<Fault, CallsReply>> {
    const { index } = this.options;
    const prefix = callKey(module, cause, 0).slice(0, -1);
    const known = [...this.#recording]
      .filter(([key]) => key.startsWith(prefix))
      .map(([, call]) => call.known);
    await Promise.all(known);
    const upTo = Math.max(cause, fromSeq, this.#lastRecorded);
    if (!(await index.reachedWithin(upTo, CAUSE_WAIT_MS))) {
      return E.left(fault('LOG_UNAVAILABLE', `record ${upTo} has not been read from the log`));
    }
    const command = index.commands.get(cause);
    if (command?.module !== module) return E.right({ calls: 0 });
    const calls = index.commands.lastCall(cause);
    const cancelled = command.cancel === 0 ? undefined : index.cancelled.get(module, cause);
    const keys = await this.#keys(command);
    if (E.isLeft(keys)) return keys;
    return E.right({
      calls,
      ...(cancelled === undefined ? {} : { cancelled, isCancelMet: command.isCancelMet }),
      ...(keys.right === undefined ? {} : { keys: keys.right }),
    });
  }

  /** The keys that steps of a restarted command have of those before it; undefined: it is none. */
  async #keys({ seq, before }: OpenCommand): Promise<E.Either<Fault, CallsReply['keys'] | undefined>> {
    const { nc, index } = this.options;
    const known = before === 0 ? undefined : index.restarts.of(before);
    if (known?.command !== seq) return E.right(undefined);
    return E.map(({ keys }: Restart) => keys)(await restartAt(nc, known.restart));
  }

  /** What the log has of a handler at a number. The index has read all that is to be known: {@link recorded} waits. */
  async recordedAt(module: string, cause: number, call: number): Promise<E.Either<Fault, StepReply>> {
    const { nc, index } = this.options;
    const made = index.commands.get(cause)?.module === module ? index.commands.call(cause, call) : undefined;
    if (made === undefined) return E.right({});
    const { seq, resultSeq, untilMs } = made;
    // The wake of a wait is asked for along with it.
    const wakes = untilMs !== undefined && resultSeq !== null ? [resultSeq] : [];
    const found = await recordsAt({ nc, prefix: '$JS.API' }, [seq, ...wakes])();
    if (E.isLeft(found)) return found;
    const record = found.right.find((each) => each.seq === seq);
    if (record === undefined) return E.left(fault('LOG_UNAVAILABLE', `record ${seq} did not come`));
    const step = stepIn(record);
    if (step === undefined) return E.right({ seq, other: shownCall(record) });
    // Kept by a restart: a promise has the id that it had.
    const madeBy = causeOf(record);
    const kept = madeBy === undefined || madeBy === cause ? {} : { cause: madeBy };
    if (wakes.length === 0) return E.right({ seq, step, ...kept });
    const woken = found.right.find((each) => each.seq === resultSeq);
    const wake = woken === undefined ? undefined : wakeIn(woken);
    if (wake === undefined) return E.left(fault('LOG_UNAVAILABLE', `record ${resultSeq} is no wake`));
    return E.right({ seq, step, wake, ...kept });
  }

  /**
   * A call that a handler makes is one command permanently, however often the handler runs: the log is asked first
   * whether this cause made this call already, and it must be the same call (I11).
   */
  async called(
    msg: Msg,
    admitted: AdmittedCall,
    given: RequestHeaders,
    call: number,
    started: number,
  ): Promise<void> {
    const { index, record, wait, refuse } = this.options;
    const { sender } = admitted;
    const found = await this.#openCause(sender, given[HEADER.cause]);
    if (E.isLeft(found)) return refuse(msg, found.left);
    const { seq: cause, conversation } = found.right;
    const asked = { subject: storedCommandSubject(admitted.address, sender), data: msg.data };
    const key = callKey(sender, cause, call);
    const made = index.commands.call(cause, call);
    if (made !== undefined)
      return this.#askedAgain(msg, admitted, { cause, call, seq: made.seq }, asked, started);
    const recording = this.#recording.get(key);
    if (recording !== undefined) {
      const differs = callDiffers({ cause, call }, recording, asked);
      if (differs !== undefined) return refuse(msg, differs);
      const outcome = await recording.stored;
      if (E.isLeft(outcome)) refuse(msg, outcome.left);
      else wait(msg, admitted, outcome.right, started);
      return;
    }
    const headers = {
      ...carriedOf(given),
      [HEADER.cause]: String(cause),
      [HEADER.call]: String(call),
      [HEADER.conversation]: String(conversation),
    };
    const stored = new Promise<E.Either<Fault, number>>((recorded) => {
      record(msg, admitted, headers, started, recorded);
    });
    const known = stored.then(async (outcome) => {
      if (E.isLeft(outcome)) return;
      this.#lastRecorded = Math.max(this.#lastRecorded, outcome.right);
      // Once the index has read it, the log itself is what remembers the call.
      await index.reached(outcome.right);
    });
    this.#recording.set(key, { ...asked, stored, known });
    await known;
    this.#recording.delete(key);
  }

  /** A call that cannot be recorded; where the log has one of that number, the handler asks for another one now. */
  async inadmissible(msg: Msg, { sender, headers }: SignedRequest, call: number, why: Fault): Promise<void> {
    const { index, refuse } = this.options;
    const found = await this.#openCause(sender, headers[HEADER.cause]);
    if (E.isLeft(found)) return refuse(msg, why);
    const cause = found.right.seq;
    const made = index.commands.call(cause, call);
    const isRecorded = made !== undefined || this.#recording.has(callKey(sender, cause, call));
    if (!isRecorded) return refuse(msg, why);
    refuse(msg, refusedDiffers({ cause, call, ...(made === undefined ? {} : { seq: made.seq }) }, why));
  }

  /** The open command that a module names as the cause of a call, or why it is none. */
  async #openCause(sender: string, header: string | undefined): Promise<E.Either<Fault, OpenCommand>> {
    const { index } = this.options;
    const invalid = (text: string): E.Either<Fault, never> => E.left(fault('HEADER_INVALID', text));
    const cause = parseSequence(header ?? '');
    if (cause === undefined) return invalid(`${HEADER.call} without a sequence in ${HEADER.cause}`);
    if (!(await index.reachedWithin(cause, CAUSE_WAIT_MS))) {
      return invalid(`${HEADER.cause} ${cause} has not been read from the log`);
    }
    const open = index.commands.get(cause);
    return open?.module === sender ? E.right(open) : E.left(causeNotOpen(cause, sender));
  }

  /** A call that the log has: it gets the answer that is there, if it is the same call. */
  async #askedAgain(
    msg: Msg,
    admitted: AdmittedCall,
    place: { readonly cause: number; readonly call: number; readonly seq: number },
    asked: RequestedCall,
    started: number,
  ): Promise<void> {
    const { nc, index, wait, refuse, fetch } = this.options;
    const found = await recordsAt({ nc, prefix: '$JS.API' }, [place.seq])();
    const [recorded] = E.isLeft(found) ? [] : found.right;
    if (recorded === undefined) {
      const why = E.isLeft(found) ? found.left.message : 'nothing came';
      return refuse(msg, fault('LOG_UNAVAILABLE', `record ${place.seq} cannot be compared: ${why}`));
    }
    const differs = callDiffers(place, recorded, asked);
    if (differs !== undefined) return refuse(msg, differs);
    wait(msg, admitted, place.seq, started);
    const resultSeq = index.commands.call(place.cause, place.call)?.resultSeq;
    if (typeof resultSeq === 'number') fetch(place.seq, resultSeq);
  }
}
