import type { StoredSnapshot } from '../../store/snapshots/index.js';
import type { Difference } from '../../replay/rebuild/comparison.js';

/** The parts of two long states before and after the first difference. */
const BEFORE = 40;
const BEHIND = 160;

const firstDifference = (a: string, b: string): number => {
  let at = 0;
  while (at < a.length && a[at] === b[at]) at += 1;
  return at;
};

const excerpt = (json: string, at: number): string => {
  const [from, to] = [at > BEFORE + BEHIND ? at - BEFORE : 0, at + BEHIND];
  return `${from > 0 ? '…' : ''}${json.slice(from, to)}${to < json.length ? '…' : ''}`;
};

const side = (found: StoredSnapshot | null, at: number): string =>
  found === null ? 'nothing' : `at ${found.seq}, schema ${found.schema}: ${excerpt(found.json, at)}`;

/** One line: the agent whose states differ, and the difference. */
export const differenceText = ({ module, agent, log, snapshot }: Difference): string => {
  const at = firstDifference(log?.json ?? '', snapshot?.json ?? '');
  const who = agent === '' ? `${module} itself` : `${agent} of ${module}`;
  return `${who}: the log gives ${side(log, at)}; the snapshot has ${side(snapshot, at)}`;
};
