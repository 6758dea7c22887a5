import { isLeft } from 'fp-ts/lib/Either.js';
import type { StoredMessage } from '../../schemas/record.js';
import { HEADER } from '../../schemas/headers.js';
import { parseSequence } from '../../schemas/identity.js';
import { jsonOrText } from '../../schemas/json.js';
import type { Result } from '../../schemas/result.js';
import { type Step, StepSchema } from '../../schemas/step.js';
import { type CommandSubject, splitSubject } from '../../schemas/subjects.js';
import { type Wake, WakeSchema } from '../../schemas/wake.js';
import { compileOnUse } from '../../schemas/validate.js';
import type { RecordedCall } from './runner-messages.js';

const checkStep = compileOnUse<Step>(StepSchema, 'STEP_INVALID', 'step');

const checkWake = compileOnUse<Wake>(WakeSchema, 'WAIT_INVALID', 'wake');

interface Open extends Omit<RecordedCall, 'answer' | 'wake'> {
  wake?: Wake;
  answer: Result | undefined;
}

const sequence = (message: StoredMessage, name: string): number | undefined =>
  parseSequence(message.header(name) ?? '');

/** Calls and steps that handlers made, with their answers, until the command that made them is answered itself. */
export class CallResults {
  readonly #byCause = new Map<number, Open[]>();
  readonly #open = new Map<number, Open>();

  /** A command that the module sent: counts where it is a call. `of`: a restarted command has it as its own. */
  sent(message: StoredMessage, of?: number): void {
    const [cause, n] = [of ?? sequence(message, HEADER.cause), sequence(message, HEADER.call)];
    if (cause === undefined || n === undefined) return;
    const { module, name, agent } = splitSubject(message.subject) as CommandSubject;
    const target = { module, name, ...(agent === undefined ? {} : { agent }) };
    const call: Open = { n, target, data: jsonOrText(message.data), answer: undefined };
    this.#add(cause, call);
    this.#open.set(message.seq, call);
  }

  /** A step of the module. One that cannot be read is none. */
  stepped(message: StoredMessage, of?: number): void {
    const [cause, n] = [of ?? sequence(message, HEADER.cause), sequence(message, HEADER.call)];
    const step = checkStep(jsonOrText(message.data));
    const subject = splitSubject(message.subject);
    if (cause === undefined || n === undefined || isLeft(step) || subject?.kind !== 'step') return;
    const { module, name, agent } = subject;
    const target = { module, name, ...(agent === undefined ? {} : { agent }) };
    this.#add(cause, { n, target, data: null, answer: undefined, step: step.right });
  }

  /** A wake of a handler of the module. One that cannot be read is none. */
  woken(message: StoredMessage, of?: number): void {
    const [cause, n] = [of ?? sequence(message, HEADER.cause), sequence(message, HEADER.call)];
    const wake = checkWake(jsonOrText(message.data));
    if (cause === undefined || isLeft(wake)) return;
    const wait = this.#byCause.get(cause)?.find((each) => each.n === n);
    if (wait?.step?.status === 'waiting') wait.wake = wake.right;
  }

  /** A result of whichever module: counts where it answers a call. */
  answered(message: StoredMessage): void {
    const cause = sequence(message, HEADER.cause);
    const call = cause === undefined ? undefined : this.#open.get(cause);
    if (cause === undefined || call === undefined) return;
    call.answer = jsonOrText(message.data) as Result;
    this.#open.delete(cause);
  }

  /** The calls of a command, which is answered now: what its calls are answered later, its handler did not get. */
  take(cause: number): readonly RecordedCall[] {
    const calls = this.#byCause.get(cause) ?? [];
    this.#byCause.delete(cause);
    return calls;
  }

  #add(cause: number, call: Open): void {
    const calls = this.#byCause.get(cause);
    if (calls === undefined) this.#byCause.set(cause, [call]);
    else calls.push(call);
  }
}
