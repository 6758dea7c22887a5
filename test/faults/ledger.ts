import { HEADER } from '../../schemas/headers.js';
import { parseSequence } from '../../schemas/identity.js';
import type { StoredMessage } from '../../schemas/record.js';
import type { Result } from '../../schemas/result.js';
import { splitSubject } from '../../schemas/subjects.js';

/** What a sender was told of a record: where it is, or that it is not stored; nothing when no answer came. */
interface Sent {
  readonly subject: string;
  told: { readonly seq: number } | { readonly refused: string } | undefined;
}

const traceOf = (id: number): string => `00-${id.toString(16).padStart(32, '0')}-0000000000000001-01`;

/** What a caller sees of a result: the body without what it causes. */
const asCallersSee = (body: string): string => {
  const { out: _, ...rest } = JSON.parse(body) as Result & { out?: unknown };
  return JSON.stringify(rest);
};

const decoder = new TextDecoder();

/**
 * Remembers what was sent and what the senders were told, and lays the log beside it (I1): what was acknowledged is
 * there once, where it was said to be; what was refused is not there; an answer is the one that the log has.
 */
export class Ledger {
  readonly #sent = new Map<string, Sent>();
  readonly #answers = new Map<number, string>();
  #acknowledged = 0;

  /** `before`: how many records other ledgers of this log have. */
  constructor(private readonly before = 0) {}

  get sent(): number {
    return this.#sent.size;
  }

  get acknowledged(): number {
    return this.#acknowledged;
  }

  get answered(): number {
    return this.#answers.size;
  }

  /** Notes a record that is about to be sent; its trace header. */
  begin(subject: string): string {
    const trace = traceOf(this.before + this.#sent.size + 1);
    this.#sent.set(trace, { subject, told: undefined });
    return trace;
  }

  acknowledge(trace: string, seq: number): void {
    const sent = this.#sent.get(trace);
    if (sent === undefined) return;
    sent.told = { seq };
    this.#acknowledged += 1;
  }

  refuse(trace: string, refused: string): void {
    const sent = this.#sent.get(trace);
    if (sent !== undefined) sent.told = { refused };
  }

  answer(seq: number, body: string): void {
    this.#answers.set(seq, body);
  }

  /** Reads a whole log; findings come at its end. */
  check(): { readonly add: (message: StoredMessage) => void; readonly findings: () => readonly string[] } {
    const findings: string[] = [];
    const stored = new Map<string, number>();
    let matched = 0;
    const add = (message: StoredMessage): void => {
      const subject = splitSubject(message.subject);
      if (subject?.kind === 'cmd') {
        const trace = message.header(HEADER.trace) ?? '';
        const before = stored.get(trace);
        if (!this.#sent.has(trace)) return;
        if (before !== undefined) findings.push(`I1 ${message.seq}: the command of ${before} is there again`);
        stored.set(trace, message.seq);
      } else if (subject?.kind === 'res') {
        const answer = this.#answers.get(parseSequence(message.header(HEADER.cause) ?? '') ?? 0);
        if (answer === undefined) return;
        matched += 1;
        const logged = asCallersSee(decoder.decode(message.data));
        if (logged !== asCallersSee(answer))
          findings.push(`I3 ${message.seq}: its caller was answered ${answer}`);
      }
    };
    const end = (): readonly string[] => {
      for (const [trace, { subject, told }] of this.#sent) {
        const seq = stored.get(trace);
        if (told === undefined) continue;
        if ('seq' in told && told.seq !== seq)
          findings.push(`I1 ${subject} was acknowledged at ${told.seq} and stands at ${seq ?? 'no place'}`);
        if ('refused' in told && seq !== undefined)
          findings.push(`I8 ${subject} was refused with ${told.refused} and stands at ${seq}`);
      }
      if (matched < this.#answers.size)
        findings.push(`I3 ${this.#answers.size - matched} answers have no result in the log`);
      return findings;
    };
    return { add, findings: end };
  }
}
