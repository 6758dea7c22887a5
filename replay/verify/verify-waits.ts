import { HEADER } from '../../schemas/headers.js';
import { parseInstant } from '../../schemas/instant.js';
import type { Findings } from './findings.js';
import type { RecordView } from './record-view.js';

/** What the handler of an open command waits for. */
interface Waiting {
  /** Module and agent: later commands of the agent wait too. */
  readonly lane: string;
  /** When each wait is due, by its number; milliseconds since 1970. */
  readonly open: Map<number, number>;
  readonly woken: Set<number>;
  /** When it was woken last. */
  wokenMs: number;
}

/** A module and its agent, as one text. */
export const laneText = (module: string, agent: string): string => `${module}.${agent}`;

/** Each wake ends one wait of an open command, once. What is not due yet is no finding. */
export class VerifyWaits {
  readonly #waiting = new Map<number, Waiting>();

  constructor(private readonly findings: Findings) {}

  /** A step of an open command: counts where it is a wait. */
  stepped(view: RecordView): void {
    const { headers, record } = view;
    const until = record.header(HEADER.until);
    if (until === undefined) return;
    const module = view.text(view.moduleFrom, view.moduleTo);
    const lane = laneText(module, view.text(view.agentFrom, view.agentTo));
    const waiting = this.#waiting.get(headers.cause) ?? {
      lane,
      open: new Map(),
      woken: new Set(),
      wokenMs: 0,
    };
    this.#waiting.set(headers.cause, waiting);
    waiting.open.set(headers.call, parseInstant(until) ?? 0);
  }

  /** A wake of an open command. */
  woken(view: RecordView): void {
    const { headers, seq } = view;
    const { cause, call } = headers;
    const waiting = this.#waiting.get(cause);
    const module = view.text(view.moduleFrom, view.moduleTo);
    if (waiting?.woken.has(call) === true)
      return this.findings.add('callsDiffer', seq, module, `wait ${call} of ${cause} was woken before`);
    if (waiting?.open.delete(call) !== true)
      return this.findings.add(
        'callsDiffer',
        seq,
        module,
        `command ${cause} has no wait ${call} before its wake`,
      );
    waiting.woken.add(call);
    waiting.wokenMs = view.record.timeMs;
  }

  /** The command has its result. */
  answered(cause: number): void {
    if (this.#waiting.size > 0) this.#waiting.delete(cause);
  }

  /** Commands that wait, or were woken a moment ago, and whose they are: what was due long ago does not count. */
  asleep(nowMs: number, graceMs: number): ReadonlyMap<number, string> {
    const asleep = new Map<number, string>();
    for (const [cause, { lane, open, wokenMs }] of this.#waiting)
      if ([wokenMs, ...open.values()].some((sinceMs) => nowMs < sinceMs + graceMs)) asleep.set(cause, lane);
    return asleep;
  }
}
