import { Growth, type Growing } from './growth.js';
import { handlingOf } from './trace-handling.js';
import type { TraceOutcome } from './trace-outcome.js';
import type { Trace, TraceNode } from './conversation-trace.js';
import type { TraceRecord } from './trace-record.js';
import { AgentTurns, type Wait } from './trace-turns.js';

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
 * Lays the records of one conversation together: a tree by cause, with times and outcomes. Pure, and linear in their
 * number. It takes any records, also of a log that does not keep the protocol's rules; what does not fit has a
 * `problem`.
 */
export const traceOf = (records: readonly TraceRecord[], options: TraceOptions = {}): Trace => {
  const inOrder = records.toSorted((a, b) => a.seq - b.seq);
  const [first] = inOrder;
  const conversation = options.conversation ?? first?.seq ?? 0;
  const growth = new Growth(conversation);
  for (const record of inOrder) growth.add(record);
  const { nodes } = growth;
  const beganMs = first?.timeMs ?? 0;
  for (const node of nodes) node.atMs = node.record.timeMs - beganMs;
  const waits = options.waits ?? waitsIn(inOrder);
  const outcomes: Partial<Record<TraceOutcome, number>> = {};
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
    // A clock that was set back must not leave a record outside.
    spanMs: inOrder.reduce((span, { timeMs }) => Math.max(span, timeMs - beganMs), 0),
    nodes: nodes satisfies TraceNode[],
    roots: nodes.filter(isRoot),
  };
};
