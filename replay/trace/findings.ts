import type { Trace, TraceNode } from './trace.js';
import { outcomeText, printable, whatOf } from './words.js';

/** Something in a conversation that somebody may have to look at. */
export interface Finding {
  readonly seq: number;
  readonly what: string;
  /** What is the matter. */
  readonly said: string;
}

const missingOf = ({ handling }: TraceNode): readonly string[] =>
  (handling?.missing ?? []).map((subject) => `its result carries ${printable(subject)}, which is not there`);

const unwell = (node: TraceNode): readonly string[] => {
  const { handling, problem } = node;
  const outcome = handling === null || handling.outcome === 'ok' ? [] : [outcomeText(node)];
  return [...outcome, ...missingOf(node), ...(problem === null ? [] : [printable(problem)])];
};

/** Every command that is not ok, every copy that is missing, everything that does not fit, in log order. */
export const findingsOf = ({ nodes }: Trace): readonly Finding[] =>
  nodes.flatMap((node) =>
    unwell(node).map((said) => ({ seq: node.record.seq, what: whatOf(node.record), said })),
  );
