import { type Answer, type ApiProblem, get, pathOf } from './api-client.js';

/** One record that changed an agent, as `GET /v1/steps/…` has it. */
export interface StepLine {
  readonly seq: number;
  readonly time: string;
  readonly agent: string;
  readonly changes: readonly { readonly path: string; readonly from?: unknown; readonly to?: unknown }[];
  readonly state: unknown;
}

export interface StepsAnswer {
  readonly base: { readonly seq: number; readonly time: string; readonly state: unknown } | null;
  readonly steps: readonly StepLine[];
  readonly checked: number;
  readonly to: number;
  readonly next: number | null;
}

/** Whose steps: of all agents of a module, or of one. */
export interface WatchedAgent {
  readonly module: string;
  readonly agent: string;
}

export interface Sought extends WatchedAgent {
  readonly where: string;
  readonly from: number;
}

export const stepsPath = (
  { module, agent }: WatchedAgent,
  query: Readonly<Record<string, string | number | undefined>>,
): string => pathOf(['steps', module, ...(agent === '' ? [] : [agent])], query);

/** What a search came to. */
export type FoundStep =
  | { readonly found: StepLine | undefined; readonly checked: number }
  | { readonly problem: ApiProblem };

const BUSY = 429;
const AGAIN_MS = 500;

/** The first step with which an expression holds: page after page, each of some seconds. */
export const findStep = async (
  sought: Sought,
  onChecked: (checked: number) => void,
  signal: AbortSignal,
): Promise<FoundStep> => {
  let from: number | null = sought.from;
  let checked = 0;
  while (from !== null && !signal.aborted) {
    const path: string = stepsPath(sought, { where: sought.where, from, limit: 1 });
    const answer: Answer<StepsAnswer> = await get<StepsAnswer>(path, signal);
    if (!answer.ok) {
      if (answer.problem.status !== BUSY) return { problem: answer.problem };
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      continue;
    }
    checked += answer.value.checked;
    const [found] = answer.value.steps;
    if (found !== undefined) return { found, checked };
    onChecked(checked);
    from = answer.value.next;
  }
  return { found: undefined, checked };
};
