import type { StoredMessage } from '../../schemas/record.js';
import { HEADER } from '../../schemas/headers.js';
import { parseSequence } from '../../schemas/identity.js';
import { jsonOrText } from '../../schemas/json.js';
import type { Result } from '../../schemas/result.js';
import { type CommandSubject, splitSubject } from '../../schemas/subjects.js';
import type { RecordedCall } from './runner-messages.js';

interface Open extends Omit<RecordedCall, 'answer'> {
  answer: Result | undefined;
}

const sequence = (message: StoredMessage, name: string): number | undefined =>
  parseSequence(message.header(name) ?? '');

/** Calls that handlers made, with what they were answered, until the command that made them is answered itself. */
export class CallResults {
  readonly #byCause = new Map<number, Open[]>();
  readonly #open = new Map<number, Open>();

  /** A command that the module sent: counts where it is a call. */
  sent(message: StoredMessage): void {
    const [cause, n] = [sequence(message, HEADER.cause), sequence(message, HEADER.call)];
    if (cause === undefined || n === undefined) return;
    const { module, name, agent } = splitSubject(message.subject) as CommandSubject;
    const target = { module, name, ...(agent === undefined ? {} : { agent }) };
    const call: Open = { n, target, data: jsonOrText(message.data), answer: undefined };
    const calls = this.#byCause.get(cause);
    if (calls === undefined) this.#byCause.set(cause, [call]);
    else calls.push(call);
    this.#open.set(message.seq, call);
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
}
