import { HEADER } from '../../schemas/headers.js';
import { parsePart } from '../../schemas/identity.js';
import { Payload } from '../../schemas/payload.js';
import { causeOf, type StoredMessage } from '../../schemas/record.js';
import type { Ok } from '../../schemas/result.js';
import { splitSubject } from '../../schemas/subjects.js';

/** The one result of a command. */
export interface ResultRecord {
  readonly seq: number;
  readonly timeMs: number;
  readonly payload: Payload;
}

/** A command, and those that followed from it: `call 2`, the second call of its handler, or `part 1` of its outcome. */
export interface CommandNode {
  readonly message: StoredMessage;
  readonly children: Map<string, CommandNode>;
  answer: ResultRecord | undefined;
}

/** What of a command says that another one caused it, and as which of its consequences. */
const placeOf = (message: StoredMessage): { readonly cause: number; readonly key: string } | undefined => {
  const cause = causeOf(message);
  if (cause === undefined) return undefined;
  const call = message.header(HEADER.call);
  if (call !== undefined) return { cause, key: `call ${call}` };
  const part = parsePart(message.header(HEADER.part) ?? '');
  return part === undefined ? undefined : { cause, key: `part ${part.i}` };
};

/** Whether no record of the log caused a command, so that a replay has to send it. */
export const isRoot = (message: StoredMessage): boolean => placeOf(message) === undefined;

/** The commands that an outcome sends, by the number of the part that each is. */
const sentBy = (body: unknown): readonly number[] => {
  const out: unknown = (body as Partial<Ok> | null)?.out;
  if (!Array.isArray(out)) return [];
  return out.flatMap((each: unknown, i) => {
    const subject = (each as { subject?: unknown } | null)?.subject;
    return typeof subject === 'string' && subject.startsWith('cmd.') ? [i + 1] : [];
  });
};

/** Commands by what caused them, with their results, as records are added in order. */
export class CommandTree {
  readonly #nodes = new Map<number, CommandNode>();
  /** Commands without a result. */
  readonly #open = new Set<number>();
  /** Commands that outcomes have sent and that are not stored yet. */
  readonly #sent = new Set<string>();

  add(message: StoredMessage): void {
    const subject = splitSubject(message.subject);
    if (subject?.kind === 'cmd') this.#command(message);
    else if (subject?.kind === 'res') this.#result(message);
  }

  find(seq: number): CommandNode | undefined {
    return this.#nodes.get(seq);
  }

  /** Whether every command is answered, those that outcomes sent too. */
  get isQuiet(): boolean {
    return this.#open.size === 0 && this.#sent.size === 0;
  }

  /** Waits no longer for what is not answered; an answer that comes still counts. */
  giveUp(): void {
    this.#open.clear();
    this.#sent.clear();
  }

  #command(message: StoredMessage): void {
    const node: CommandNode = { message, children: new Map(), answer: undefined };
    this.#nodes.set(message.seq, node);
    this.#open.add(message.seq);
    const place = placeOf(message);
    if (place === undefined) return;
    this.#nodes.get(place.cause)?.children.set(place.key, node);
    this.#sent.delete(`${place.cause} ${place.key}`);
  }

  #result(message: StoredMessage): void {
    const cause = causeOf(message);
    const node = cause === undefined ? undefined : this.#nodes.get(cause);
    if (cause === undefined || node === undefined || node.answer !== undefined) return;
    // Its own bytes: those of the message are a part of many, which would be kept with it.
    const payload = new Payload(new Uint8Array(message.data));
    node.answer = { seq: message.seq, timeMs: message.timeMs, payload };
    this.#open.delete(cause);
    for (const i of sentBy(payload.value))
      if (!node.children.has(`part ${i}`)) this.#sent.add(`${cause} part ${i}`);
  }
}
