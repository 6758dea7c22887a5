import { HEADER } from '../../schemas/headers.js';
import { parseSequence } from '../../schemas/identity.js';
import { parseInstant } from '../../schemas/instant.js';
import type { Findings } from './findings.js';
import type { RecordView } from './record-view.js';

/** What the handler of an open command waits for. */
interface Waiting {
  /** Module and agent: later commands of the agent wait too. */
  readonly lane: string;
  /** By its number, when each wait is due, milliseconds since 1970, and the name of its signal. */
  readonly open: Map<number, { readonly untilMs: number; readonly signal: string | undefined }>;
  readonly woken: Set<number>;
  /** When it was woken last. */
  wokenMs: number;
}

/**
 * A wake that is on its way when its command gets its result stands behind the result. That can be so for the last page
 * of wakes of a broker. A wake of an older command is a finding.
 */
const MOST_ENDED = 10_000;

/** A module and its agent, as one text. */
export const laneText = (module: string, agent: string): string => `${module}.${agent}`;

/** Each wake ends one wait of an open command, once. What is not due yet is no finding. */
export class VerifyWaits {
  readonly #waiting = new Map<number, Waiting>();

  /** The waits that were open when their command got its result, by the command: the last ones. */
  readonly #ended = new Map<number, Set<number>>();
  /** Signals that no wake has taken: the agent and the name. */
  readonly #signals = new Map<number, string>();

  constructor(
    private readonly findings: Findings,
    private readonly fromSeq: number,
  ) {}

  /** A signal: its subject has the name in the place of an action. */
  signalled(view: RecordView): void {
    const module = view.text(view.moduleFrom, view.moduleTo);
    const name = view.text(view.moduleTo + 1, view.agentFrom - 1);
    const lane = laneText(module, view.text(view.agentFrom, view.agentTo));
    this.#signals.set(view.seq, `${lane} ${name}`);
  }

  /** A step of an open command: counts where it is a wait. */
  stepped(view: RecordView): void {
    const { headers, record } = view;
    const [until, signal] = [record.header(HEADER.until), record.header(HEADER.signal)];
    if (until === undefined && signal === undefined && record.header(HEADER.promise) === undefined) return;
    const module = view.text(view.moduleFrom, view.moduleTo);
    const lane = laneText(module, view.text(view.agentFrom, view.agentTo));
    const waiting = this.#waiting.get(headers.cause) ?? {
      lane,
      open: new Map(),
      woken: new Set(),
      wokenMs: 0,
    };
    this.#waiting.set(headers.cause, waiting);
    waiting.open.set(headers.call, {
      untilMs: until === undefined ? Number.POSITIVE_INFINITY : (parseInstant(until) ?? 0),
      signal,
    });
  }

  /** A wake of an open command. */
  woken(view: RecordView): void {
    const { headers, seq } = view;
    const { cause, call } = headers;
    const waiting = this.#waiting.get(cause);
    const module = view.text(view.moduleFrom, view.moduleTo);
    if (waiting?.woken.has(call) === true)
      return this.findings.add('callsDiffer', seq, module, `wait ${call} of ${cause} was woken before`);
    const wait = waiting?.open.get(call);
    if (waiting === undefined || wait === undefined)
      return this.findings.add(
        'callsDiffer',
        seq,
        module,
        `command ${cause} has no wait ${call} before its wake`,
      );
    waiting.open.delete(call);
    waiting.woken.add(call);
    const signal = view.record.header(HEADER.signal);
    const sent = parseSequence(signal ?? '');
    // Of a signal before the range nothing is known.
    if (
      signal !== undefined &&
      (sent === undefined ||
        (sent >= this.fromSeq && this.#signals.get(sent) !== `${waiting.lane} ${wait.signal}`))
    )
      this.findings.add(
        'callsDiffer',
        seq,
        module,
        `wake of ${cause} names signal ${signal}, which it cannot have`,
      );
    if (sent !== undefined) this.#signals.delete(sent);
    waiting.wokenMs = view.record.timeMs;
  }

  /** The command has its result. */
  answered(cause: number): void {
    const waiting = this.#waiting.get(cause);
    if (waiting === undefined) return;
    this.#waiting.delete(cause);
    if (waiting.open.size === 0) return;
    this.#ended.set(cause, new Set(waiting.open.keys()));
    if (this.#ended.size > MOST_ENDED) this.#ended.delete(this.#ended.keys().next().value as number);
  }

  /** Whether a wake was on its way when the command that waited got its result; once for each wait. */
  isLate({ headers: { cause, call } }: RecordView): boolean {
    return this.#ended.get(cause)?.delete(call) === true;
  }

  /** Commands that wait, or were woken a moment ago, and whose they are: what was due long ago does not count. */
  asleep(nowMs: number, graceMs: number): ReadonlyMap<number, string> {
    const asleep = new Map<number, string>();
    for (const [cause, { lane, open, wokenMs }] of this.#waiting)
      if (
        [wokenMs, ...[...open.values()].map(({ untilMs }) => untilMs)].some(
          (sinceMs) => nowMs < sinceMs + graceMs,
        )
      )
        asleep.set(cause, lane);
    return asleep;
  }
}
