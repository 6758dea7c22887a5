import { type AskedCall, statedCalls } from '../../journal/wire/call-digest.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { commandSubject } from '../../schemas/subjects.js';
import type { HandlerCall } from './calls.js';

/** The calls and steps that one run of a handler has made. They share their numbers. */
export class CallsMade {
  /** How many it has asked for: the number of the last one. */
  asked = 0;
  readonly #recorded: AskedCall[] = [];
  #open = 0;

  /** The number of the next call. */
  next(): number {
    this.asked += 1;
    this.#open += 1;
    return this.asked;
  }

  /** A call has its answer; `isRecorded`: the log has it. */
  answered({ call, target, body }: Pick<HandlerCall, 'call' | 'target' | 'body'>, isRecorded: boolean): void {
    this.#open -= 1;
    const address = commandSubject(target).slice('cmd.'.length);
    if (isRecorded) this.#recorded.push({ call, address, payload: body });
  }

  /** A step is over; `body`: of its record, which stands at this subject. */
  stepped(call: number, subject: string, body: Uint8Array | undefined): void {
    // A step without a record may still get one: nothing can be stated then.
    if (body === undefined) return;
    this.#open -= 1;
    this.#recorded.push({ call, address: subject, payload: body });
  }

  /** What a result says of them; undefined while it is open whether the log has one of them. */
  stated(): string | undefined {
    return this.#open === 0 ? statedCalls(this.#recorded) : undefined;
  }
}

/** Why an outcome does not count: the log has more calls of this command than the run has made; undefined otherwise. */
export const callsLeftOut = (cause: number, asked: number, recorded: number): Fault | undefined =>
  recorded <= asked
    ? undefined
    : fault(
        'REPLAY_DIFFERS',
        `call ${recorded} of command ${cause} is recorded; the handler that ran again ended after ${asked === 0 ? 'no call' : `call ${asked}`} (calls and steps share their numbers)`,
      );
