import { isRight } from 'fp-ts/lib/Either.js';
import { HEADER } from '../../schemas/headers.js';
import { parseJson } from '../../schemas/json.js';
import { parseKept } from '../../schemas/restart.js';
import type { Answers } from './answers.js';
import type { Findings } from './findings.js';
import type { RecordView } from './record-view.js';
import type { SeenRestart } from './seen-restart.js';
import type { StatedCalls } from './stated-calls.js';

const digestsIn = (body: unknown): readonly string[] => {
  const { digests } = (body ?? {}) as { readonly digests?: unknown };
  return Array.isArray(digests) && digests.every((each) => typeof each === 'string') ? digests : [];
};

/**
 * What the log says of restarts: each has its command before it, which has its result, and one new command behind it.
 * Whether what it keeps is what the handler did is read when all has been.
 */
export class StatedRestarts {
  readonly #bySeq = new Map<number, SeenRestart>();
  readonly #byBefore = new Map<number, SeenRestart>();
  #waiting = 0;

  constructor(
    private readonly findings: Findings,
    private readonly fromSeq: number,
    private readonly answers: Pick<Answers, 'answered'>,
    private readonly calls: Pick<StatedCalls, 'keeps' | 'isUnknown'>,
  ) {}

  get seen(): readonly SeenRestart[] {
    return [...this.#bySeq.values()];
  }

  /** Whether one has no new command yet. */
  get isOpen(): boolean {
    return this.#waiting > 0;
  }

  restarted(view: RecordView): void {
    const { seq, record, bytes } = view;
    const { cause: before } = view.headers;
    const body = parseJson(bytes.subarray(record.dataFrom, record.dataTo));
    const digests = isRight(body) ? digestsIn(body.right) : [];
    const kept = parseKept(record.header(HEADER.kept));
    const add = (detail: string): void => this.#add(view, detail);
    if (kept === undefined || kept.length !== digests.length)
      return add(`a restart of ${before} says which operations it keeps, and its digests do not fit`);
    if (before === 0 || (before >= this.fromSeq && !this.answers.answered.has(before)))
      return add(`a restart names ${before}, which is no command with a result before it`);
    const other = this.#byBefore.get(before);
    if (other !== undefined)
      return add(`command ${before} is restarted again; record ${other.seq} restarts it`);
    const addressText = view.text(record.subjectFrom, record.subjectTo).slice('restart.'.length);
    const module = view.text(view.moduleFrom, view.moduleTo);
    const restart = { seq, module, addressText, before, command: 0, kept, digests };
    this.#bySeq.set(seq, restart);
    this.#byBefore.set(before, restart);
    this.#waiting += 1;
  }

  /** A command that says that it restarts another one. */
  command(view: RecordView): void {
    const { seq } = view;
    const { restart: by } = view.headers;
    const restart = this.#bySeq.get(by);
    if (restart === undefined && by !== 0 && by < this.fromSeq) return this.calls.isUnknown(seq);
    const own = view.text(view.moduleFrom, view.senderFrom - 1);
    if (restart === undefined || restart.command !== 0 || restart.addressText !== own)
      return this.#add(view, `command ${seq} names ${by}, which does not restart a command as this one`);
    restart.command = seq;
    this.#waiting -= 1;
    this.calls.keeps(seq, restart);
  }

  /** Those without a new command. */
  unfinished(): readonly SeenRestart[] {
    return this.#waiting === 0 ? [] : this.seen.filter(({ command }) => command === 0);
  }

  #add(view: RecordView, detail: string): void {
    this.findings.add('callsDiffer', view.seq, view.text(view.moduleFrom, view.moduleTo), detail);
  }
}
