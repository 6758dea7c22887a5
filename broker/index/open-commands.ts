import { HEADER } from '../../schemas/headers.js';
import { parseSequence } from '../../schemas/identity.js';
import { tokenOrInvalid } from '../../schemas/names.js';
import { causeOf, conversationOf, type StoredMessage } from '../../schemas/record.js';
import type { Address, CommandSubject } from '../../schemas/subjects.js';

/** A command that has no result yet. */
export interface OpenCommand {
  readonly seq: number;
  /** Module, action and agent as the subject has them, which may be no names. */
  readonly module: string;
  readonly name: string;
  readonly agent?: string;
  readonly conversation: number;
  /** Where it stands among the calls of the handler that made it. */
  readonly calledBy: { readonly cause: number; readonly call: number } | null;
}

/** A call that a handler made: its command, and its result once there is one. */
export interface MadeCall {
  readonly seq: number;
  resultSeq: number | null;
}

/**
 * The commands that are open, and the calls that handlers of open commands have made: folded from the log's headers in
 * order. It answers who may be named as a cause, and gives a handler that runs
 * again the answers that the log already has.
 */
export class OpenCommands {
  readonly #open = new Map<number, OpenCommand>();
  /** By cause, then by number of the call; kept while the cause is open. */
  readonly #calls = new Map<number, Map<number, MadeCall>>();

  get(seq: number): OpenCommand | undefined {
    return this.#open.get(seq);
  }

  get size(): number {
    return this.#open.size;
  }

  /** The lowest open command: reading from here again gives the same table. */
  lowest(): number | undefined {
    // Commands come in order of their sequences and a Map keeps the order of insertion.
    return this.#open.keys().next().value;
  }

  call(cause: number, call: number): MadeCall | undefined {
    return this.#calls.get(cause)?.get(call);
  }

  *all(): IterableIterator<OpenCommand> {
    yield* this.#open.values();
  }

  command(message: StoredMessage, subject: CommandSubject): OpenCommand {
    const cause = causeOf(message);
    const call = parseSequence(message.header(HEADER.call) ?? '');
    const calledBy = cause !== undefined && call !== undefined ? { cause, call } : null;
    const open: OpenCommand = {
      seq: message.seq,
      module: subject.module,
      name: subject.name,
      ...(subject.agent === undefined ? {} : { agent: subject.agent }),
      conversation: conversationOf(message),
      calledBy,
    };
    this.#open.set(open.seq, open);
    // Only what the cause's own module sent is a call of its handler; anyone can write a header.
    if (calledBy !== null && this.#open.get(calledBy.cause)?.module === subject.sender) {
      let calls = this.#calls.get(calledBy.cause);
      if (calls === undefined) {
        calls = new Map();
        this.#calls.set(calledBy.cause, calls);
      }
      if (!calls.has(calledBy.call)) calls.set(calledBy.call, { seq: open.seq, resultSeq: null });
    }
    return open;
  }

  /** Closes the command that this result answers; undefined when it answers none that is open. */
  result(message: StoredMessage, subject: Address): OpenCommand | undefined {
    const cause = causeOf(message);
    const open = cause === undefined ? undefined : this.#open.get(cause);
    if (open === undefined || tokenOrInvalid(open.module) !== subject.module) return undefined;
    this.#open.delete(open.seq);
    this.#calls.delete(open.seq);
    if (open.calledBy !== null) {
      const made = this.call(open.calledBy.cause, open.calledBy.call);
      if (made?.seq === open.seq) made.resultSeq = message.seq;
    }
    return open;
  }
}
