import { tokenOrInvalid } from '../../schemas/names.js';
import { readOutcome, type Outcome } from './outcome.js';
import type { Handling, Role, Span, Trace, TraceNode } from './trace.js';
import type { TraceRecord } from './trace-record.js';
import { AgentTurns, type Wait } from './turns.js';

/** A node while the records are laid together. */
interface Growing {
  readonly record: TraceRecord;
  readonly role: Role;
  readonly parent: Growing | undefined;
  readonly children: Growing[];
  atMs: number;
  problem: string | null;
  result: TraceRecord | null;
  handling: Handling | null;
  /** Numbers of its outcome's copies that were found. */
  readonly copies: Set<number>;
  size: number;
}

interface Place {
  readonly role: Role;
  readonly parent?: Growing | undefined;
  readonly problem?: string;
}

/** As the subject of a result has it: what is no name is `_` there. */
const answers = (result: TraceRecord, { record }: Growing): boolean =>
  result.module === tokenOrInvalid(record.module ?? '') && result.name === tokenOrInvalid(record.name ?? '');

class Growth {
  readonly nodes: Growing[] = [];
  readonly #commands = new Map<number, Growing>();

  constructor(private readonly conversation: number) {}

  add(record: TraceRecord): void {
    if (record.kind === 'res' && this.#answer(record)) return;
    const { role, parent, problem = null } = this.#place(record);
    const node: Growing = {
      record,
      role,
      parent,
      children: [],
      atMs: 0,
      problem,
      result: null,
      handling: null,
      copies: new Set(),
      size: 1,
    };
    parent?.children.push(node);
    this.nodes.push(node);
    if (record.kind === 'cmd') this.#commands.set(record.seq, node);
  }

  #answer(result: TraceRecord): boolean {
    const command = result.cause === null ? undefined : this.#commands.get(result.cause);
    if (command === undefined || command.result !== null || !answers(result, command)) return false;
    command.result = result;
    command.size += 1;
    return true;
  }

  /** Causes are looked for among what came before, so whatever a log says, nothing is below itself. */
  #place(record: TraceRecord): Place {
    const { seq, kind, cause } = record;
    const redriven = record.redrives === null ? undefined : this.#commands.get(record.redrives);
    if (kind === 'cmd' && redriven !== undefined) return { role: 'redrive', parent: redriven };
    const parent = cause === null ? undefined : this.#commands.get(cause);
    if (parent !== undefined) return { parent, ...this.#below(record, parent) };
    const role: Role = seq === this.conversation ? 'first' : 'joined';
    if (kind === 'res') return { role, problem: 'a result of no command of this conversation' };
    if (cause === null) return { role };
    return {
      role,
      problem: `names as its cause ${cause}, which is no command before it in this conversation`,
    };
  }

  #below(record: TraceRecord, parent: Growing): Place {
    const { kind, part, call, sender } = record;
    if (kind === 'res')
      return {
        role: 'caused',
        problem: parent.result === null ? 'a result of another action' : 'a second result',
      };
    // Anyone can write these headers; they count where the module wrote them that handles the command.
    if (sender !== parent.record.module) return { role: 'caused' };
    if (kind === 'cmd' && call !== null) return { role: 'call' };
    if (part === null) return { role: 'caused' };
    if (parent.copies.has(part.i)) return { role: 'copy', problem: `copy ${part.i} is there twice` };
    parent.copies.add(part.i);
    return parent.result === null ? { role: 'copy', problem: 'a copy without its result' } : { role: 'copy' };
  }
}

/** Overlapping spans as one. They come by their beginnings. */
const merged = (spans: readonly Span[]): readonly Span[] => {
  const whole: [number, number][] = [];
  for (const [from, to] of spans) {
    const last = whole.at(-1);
    if (last !== undefined && from <= last[1]) last[1] = Math.max(last[1], to);
    else whole.push([from, to]);
  }
  return whole;
};

const handlingOf = (node: Growing, beganMs: number, wait: Wait | undefined): Handling => {
  const { record, result, children, copies, atMs } = node;
  const { outcome, error, data, out } = readOutcome(result);
  const missing = out.filter((_subject, i) => !copies.has(i + 1));
  const dead = result?.dead ?? null;
  const base = { result, outcome, error, data, dead, missing, waitedFor: wait?.commands ?? 0 };
  if (result === null)
    return { ...base, tookMs: null, waitedMs: 0, callsMs: 0, callSpans: [], ownMs: null, copiesMs: 0 };
  const endMs = Math.max(atMs, result.timeMs - beganMs);
  const begunMs = Math.min(endMs, Math.max(atMs, (wait?.untilMs ?? 0) - beganMs));
  const callSpans = merged(
    children.flatMap((child): Span[] => {
      if (child.role !== 'call') return [];
      const from = Math.min(endMs, Math.max(begunMs, child.atMs));
      const to = child.result === null ? endMs : child.result.timeMs - beganMs;
      return [[from, Math.min(endMs, Math.max(from, to))]];
    }),
  );
  const callsMs = callSpans.reduce((sum, [from, to]) => sum + to - from, 0);
  const tookMs = Math.max(0, result.timeMs - record.timeMs);
  const waitedMs = begunMs - atMs;
  const ownMs = Math.max(0, tookMs - waitedMs - callsMs);
  const lastCopy = children.findLast(({ role }) => role === 'copy');
  const copiesMs = lastCopy === undefined ? 0 : Math.max(0, lastCopy.atMs - endMs);
  return { ...base, tookMs, waitedMs, callsMs, callSpans, ownMs, copiesMs };
};

const waitsIn = (records: readonly TraceRecord[]): ReadonlyMap<number, Wait> => {
  const turns = new AgentTurns();
  for (const record of records) {
    if (record.kind === 'cmd') turns.command(record);
    else if (record.kind === 'res') turns.result(record);
  }
  return turns.waits;
};

export interface TraceOptions {
  /** Sequence of the conversation's first record; default: that of the first given. */
  readonly conversation?: number;
  /** How long each command waited for its agent, where more of the log is known than these records. */
  readonly waits?: ReadonlyMap<number, Wait>;
}

/**
 * Lays the records of one conversation together: a tree by cause, with times and outcomes. Pure, and linear in their number.
 * It takes any records, also of a log that does not keep the protocol's rules; what does not fit has a `problem`.
 */
export const traceOf = (records: readonly TraceRecord[], options: TraceOptions = {}): Trace => {
  const inOrder = records.toSorted((a, b) => a.seq - b.seq);
  const [first] = inOrder;
  const last = inOrder.at(-1);
  const conversation = options.conversation ?? first?.seq ?? 0;
  const growth = new Growth(conversation);
  for (const record of inOrder) growth.add(record);
  const { nodes } = growth;
  const beganMs = first?.timeMs ?? 0;
  for (const node of nodes) node.atMs = node.record.timeMs - beganMs;
  const waits = options.waits ?? waitsIn(inOrder);
  const outcomes: Partial<Record<Outcome, number>> = {};
  // Children come behind their parents, so from the end each size is complete when it is added.
  for (const node of nodes.toReversed()) {
    if (node.parent !== undefined) node.parent.size += node.size;
    if (node.record.kind !== 'cmd') continue;
    node.handling = handlingOf(node, beganMs, waits.get(node.record.seq));
    const { outcome } = node.handling;
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  }
  const isRoot = ({ parent }: Growing): boolean => parent === undefined;
  return {
    conversation,
    records: inOrder.length,
    commands: nodes.filter(({ handling }) => handling !== null).length,
    outcomes,
    began: first?.time ?? null,
    spanMs: Math.max(0, (last?.timeMs ?? 0) - beganMs),
    nodes: nodes satisfies TraceNode[],
    roots: nodes.filter(isRoot),
  };
};
