import { printable } from '../../text/printable.js';
import type { Trace, TraceNode } from './conversation-trace.js';
import type { TraceRecord } from './trace-record.js';
import { walk, type WalkOptions } from './walk.js';
import { agentOrModule } from './trace-words.js';

/** What one record is in a sequence diagram. */
export interface Message {
  readonly record: TraceRecord;
  readonly node: TraceNode;
  readonly kind: 'command' | 'result' | 'event' | 'other';
  /** Places in the list of participants; the same where it goes nowhere. */
  readonly from: number;
  readonly to: number;
  readonly atMs: number;
}

/** A conversation as messages between those who take part, in log order. */
export interface Sequence {
  readonly participants: readonly string[];
  readonly messages: readonly Message[];
  /** Records that are left out. */
  readonly more: number;
}

/** Who sent a command: the agent whose command caused it, or the sender itself. */
const originOf = ({ role, record }: TraceNode, parent: TraceNode | undefined): string =>
  parent !== undefined && (role === 'call' || role === 'copy')
    ? agentOrModule(parent.record)
    : printable(record.sender ?? 'unknown sender');

/** The messages of a trace, or of as much of it as is to be shown. */
export const sequenceOf = (trace: Trace, options: WalkOptions = {}): Sequence => {
  const participants = new Map<string, number>();
  const place = (name: string): number => {
    const known = participants.get(name);
    if (known !== undefined) return known;
    participants.set(name, participants.size);
    return participants.size - 1;
  };
  const messages: Message[] = [];
  const path: TraceNode[] = [];
  let more = 0;
  const add = (node: TraceNode): void => {
    const { record, handling, atMs } = node;
    if (handling === null) {
      const kind = record.kind === 'evt' ? 'event' : 'other';
      const at = place(agentOrModule(record));
      messages.push({ record, node, kind, from: at, to: at, atMs });
      return;
    }
    const from = place(originOf(node, path.at(-1)));
    const to = place(agentOrModule(record));
    messages.push({ record, node, kind: 'command', from, to, atMs });
    const { result, tookMs } = handling;
    if (result === null) return;
    messages.push({ record: result, node, kind: 'result', from: to, to: from, atMs: atMs + (tookMs ?? 0) });
  };
  for (const step of walk(trace.roots, options)) {
    if (step.kind === 'more') more += step.records;
    else if (step.kind === 'leave') path.pop();
    else {
      add(step.node);
      path.push(step.node);
    }
  }
  messages.sort((a, b) => a.record.seq - b.record.seq);
  return { participants: [...participants.keys()], messages, more };
};
