import type { NatsConnection } from 'nats';
import { type AskedCall, statedCalls } from '../../journal/wire/call-digest.js';
import { linkState } from '../../link/link-state.js';
import { linkedRequest } from '../../link/linked-request.js';
import { type CallsReply, type ControlError, callsSubject } from '../../schemas/control.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { commandSubject } from '../../schemas/subjects.js';
import type { HandlerCall } from './calls.js';
import { pause } from '../../system/async/pause.js';
import { Backoff } from '../../system/async/backoff.js';

/** The calls that one run of a handler has made. */
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

  /** What a result says of them; undefined while it is open whether the log has one of them. */
  stated(): string | undefined {
    return this.#open === 0 ? statedCalls(this.#recorded) : undefined;
  }
}

const FIRST_WAIT_MS = 2_000;
const MAX_WAIT_MS = 30_000;
const PAUSE_MS = 100;

/** Asks the broker for the highest number of a call that the log has of a command's handler, until it answers. */
export const recordedCalls = async (nc: NatsConnection, module: string, cause: number): Promise<number> => {
  const link = linkState(nc);
  const waits = new Backoff(FIRST_WAIT_MS, MAX_WAIT_MS);
  for (;;) {
    try {
      if (link.isUp) {
        const reply = await linkedRequest(nc, callsSubject(module), JSON.stringify({ cause }), {
          timeout: waits.take(),
        });
        const answer = reply.json<CallsReply | ControlError>();
        if ('calls' in answer) return answer.calls;
      }
    } catch {
      // The broker or its server is away: nothing is decided before it is known.
    }
    await pause(PAUSE_MS, { ref: false });
  }
};

/** Why an outcome does not count: the log has more calls of this command than the run has made; undefined otherwise. */
export const callsLeftOut = (cause: number, asked: number, recorded: number): Fault | undefined =>
  recorded <= asked
    ? undefined
    : fault(
        'REPLAY_DIFFERS',
        `call ${recorded} of command ${cause} is recorded; the handler that ran again ended after ${asked === 0 ? 'no call' : `call ${asked}`}`,
      );
