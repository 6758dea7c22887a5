import { printable } from '../../text/printable.js';
import type { Trace, TraceNode } from './conversation-trace.js';
import { outcomeText, whatOf } from './trace-words.js';

/** A problem in a conversation that an operator may have to look at. */
export interface TraceFinding {
  readonly seq: number;
  readonly what: string;
  /** What is the matter. */
  readonly said: string;
  /** Sequences of the commands that led there, the first one first; of a long chain the last ones. */
  readonly path: readonly number[];
}

const PATH = 8;

const missingOf = ({ handling }: TraceNode): readonly string[] =>
  (handling?.missing ?? []).map((subject) => `its result carries ${printable(subject)}, which is not there`);

const unwell = (node: TraceNode): readonly string[] => {
  const { handling, problem } = node;
  const outcome = handling === null || handling.outcome === 'ok' ? [] : [outcomeText(node)];
  return [...outcome, ...missingOf(node), ...(problem === null ? [] : [printable(problem)])];
};

/** Every command that is not ok, every copy that is missing, everything that does not fit, in log order. */
export const findingsOf = ({ nodes }: Trace): readonly TraceFinding[] => {
  const parents = new Map<TraceNode, TraceNode>();
  for (const node of nodes) for (const child of node.children) parents.set(child, node);
  const pathOf = (node: TraceNode): readonly number[] => {
    const path: number[] = [];
    for (let at = parents.get(node); at !== undefined && path.length < PATH; at = parents.get(at))
      path.unshift(at.record.seq);
    return path;
  };
  return nodes.flatMap((node) => {
    const { seq } = node.record;
    return unwell(node).map((said) => ({ seq, what: whatOf(node.record), said, path: pathOf(node) }));
  });
};
