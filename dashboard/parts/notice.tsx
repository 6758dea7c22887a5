import type { ComponentChildren } from 'preact';
import type { ApiProblem } from '../api/api-client.js';

/** Why something is not shown. */
export const ProblemNotice = ({ problem }: { readonly problem: ApiProblem | undefined }) =>
  problem === undefined ? null : (
    <p class="notice bad" role="alert">
      <strong>{problem.code}</strong> {problem.detail}
    </p>
  );

export const Empty = ({ children }: { readonly children: ComponentChildren }) => (
  <p class="empty">{children}</p>
);

const GOOD: ReadonlySet<string> = new Set(['loaded', 'ok', 'done']);
const BAD: ReadonlySet<string> = new Set(['crashed', 'failed', 'unreadable']);
const QUIET: ReadonlySet<string> = new Set(['unloaded', 'known']);

const toneOf = (state: string): string => {
  if (GOOD.has(state)) return 'good';
  if (BAD.has(state)) return 'bad';
  return QUIET.has(state) ? 'quiet' : 'warn';
};

/** A state as a word; its colour says the same. */
export const StateBadge = ({ state }: { readonly state: string }) => (
  <span class={`badge ${toneOf(state)}`}>{state}</span>
);
