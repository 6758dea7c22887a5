import { isRight } from 'fp-ts/lib/Either.js';
import { parseJson } from '../../schemas/json.js';
import { clip } from '../../text/printable.js';
import type { Answers } from './answers.js';
import type { Findings } from './findings.js';
import type { RecordView } from './record-view.js';

const CANCELLED = Buffer.from('"status":"cancelled"');

/**
 * What the log says of cancels: each has its command before it, one at most a command. A result or a step that says
 * that its command was cancelled names that record.
 */
export class StatedCancels {
  /** The cancel of each command that is open. */
  readonly #open = new Map<number, number>();

  constructor(
    private readonly findings: Findings,
    private readonly fromSeq: number,
    private readonly answers: Pick<Answers, 'isOpen' | 'answered'>,
  ) {}

  /** A record that cancels a command. One that came behind the result changes nothing. */
  cancelled(view: RecordView): void {
    const { seq } = view;
    const { cause } = view.headers;
    if (cause !== 0 && cause < this.fromSeq) return;
    if (this.answers.isOpen(cause, view)) {
      const before = this.#open.get(cause);
      if (before === undefined) this.#open.set(cause, seq);
      else this.#add(view, `command ${cause} is cancelled again; record ${before} cancels it`);
    } else if (cause === 0 || !this.answers.answered.has(cause)) {
      this.#add(view, `a cancel names ${cause}, which is no command of that action and agent`);
    }
  }

  /** A step of a handler. */
  met(view: RecordView): void {
    const { record, bytes, headers } = view;
    const body = bytes.subarray(record.dataFrom, record.dataTo);
    if (headers.cause < this.fromSeq || !body.includes(CANCELLED)) return;
    const step = parseJson(body);
    if (!isRight(step) || (step.right as { readonly status?: unknown } | null)?.status !== 'cancelled')
      return;
    const { cancel } = step.right as { readonly cancel?: unknown };
    const is = this.#open.get(headers.cause);
    if (cancel !== is)
      this.#add(
        view,
        `a step of command ${headers.cause} met the cancel ${clip(String(cancel), 32)}; ${shown(is)}`,
      );
  }

  /** The result of a command that was open. */
  answered(view: RecordView): void {
    const { cause, cancelled } = view.headers;
    const is = this.#open.get(cause);
    this.#open.delete(cause);
    if (cancelled === 0 || cancelled === is || (is === undefined && cancelled < this.fromSeq)) return;
    this.#add(view, `the result of ${cause} says that record ${cancelled} cancelled it; ${shown(is)}`);
  }

  #add(view: RecordView, detail: string): void {
    this.findings.add('cancelDiffers', view.seq, view.text(view.moduleFrom, view.moduleTo), detail);
  }
}

const shown = (is: number | undefined): string =>
  is === undefined ? 'no record cancels that command' : `record ${is} cancels that command`;
