import type { TraceNode } from './conversation-trace.js';

export interface WalkOptions {
  /** Levels to show; what is deeper is counted. */
  readonly depth?: number | undefined;
  /** Records to show; the rest is counted. */
  readonly limit?: number | undefined;
}

/** A step through a tree: a node, the nodes left out below or after the one before, or the end of a node. */
export type WalkStep =
  | { readonly kind: 'node'; readonly node: TraceNode; readonly depth: number; readonly isLast: boolean }
  | { readonly kind: 'more'; readonly records: number; readonly depth: number }
  | { readonly kind: 'leave'; readonly node: TraceNode };

interface WalkLevel {
  /** Whose children these are; undefined: the roots. */
  readonly of: TraceNode | undefined;
  readonly nodes: readonly TraceNode[];
  at: number;
}

const recordsFrom = ({ nodes, at }: WalkLevel): number => {
  let records = 0;
  for (let i = at; i < nodes.length; i++) records += nodes[i]?.size ?? 0;
  return records;
};

/** Goes through trees in log order, parents first, without recursion: a conversation can be as deep as it is long. */
export function* walk(
  roots: readonly TraceNode[],
  { depth = Number.POSITIVE_INFINITY, limit = Number.POSITIVE_INFINITY }: WalkOptions = {},
): Generator<WalkStep, void, void> {
  const levels: WalkLevel[] = [{ of: undefined, nodes: roots, at: 0 }];
  let shown = 0;
  for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
    const node = level.nodes[level.at];
    const hasRoom = shown < limit && levels.length <= depth;
    if (node !== undefined && hasRoom) {
      level.at += 1;
      shown += node.handling?.result == null ? 1 : 2;
      yield { kind: 'node', node, depth: levels.length - 1, isLast: level.at === level.nodes.length };
      levels.push({ of: node, nodes: node.children, at: 0 });
      continue;
    }
    const records = recordsFrom(level);
    if (records > 0) yield { kind: 'more', records, depth: levels.length - 1 };
    if (level.of !== undefined) yield { kind: 'leave', node: level.of };
    levels.pop();
  }
}
