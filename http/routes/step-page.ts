import type { Either } from 'fp-ts/lib/Either.js';
import { isLeft } from 'fp-ts/lib/Either.js';
import { type CagedStep, CagedSteps, type CagedStepsQuery } from '../../replay/diff/caged-steps.js';
import type { Scope } from '../../replay/expression/evaluate.js';
import { hiddenStep, maskedStep } from '../../replay/state/masked-step.js';
import { type Fault, FaultError } from '../../schemas/errors.js';
import type { Masks } from '../../schemas/masks.js';
import { writeJson } from '../../schemas/write-json.js';
import { JsonText } from '../requests/json-answer.js';

/** Which steps of a module make a page. */
export interface StepPageQuery extends CagedStepsQuery {
  readonly limit: number;
  /** Only those with which it holds. It sees hidden values as they are shown: so nobody finds them out with it. */
  readonly holds: ((scope: Scope) => Either<Fault, boolean>) | undefined;
  readonly masks: Masks;
  /** Ends when the client has left. */
  readonly signal: AbortSignal;
}

/** A page has no more bytes than this with its next step, and takes no longer. The next page goes on. */
const PAGE_CHARS = 4 * 1024 * 1024;
const PAGE_MS = 4_000;

const isMeant = ({ holds, masks, manifest }: StepPageQuery, step: CagedStep): boolean => {
  if (holds === undefined) return true;
  const { seq, time, agent } = step;
  const { state, before, events } = hiddenStep(masks, manifest.name, step);
  return events.some((event) => {
    const held = holds({ state, before, event, agent, seq, time });
    if (isLeft(held)) throw new FaultError({ ...held.left, message: `at ${seq}, ${held.left.message}` });
    return held.right;
  });
};

const lineOf = ({ masks, manifest }: StepPageQuery, step: CagedStep): string => {
  const { seq, time, event, events, changes, state } = maskedStep(masks, manifest.name, step);
  return writeJson({ seq, time, agent: step.agent, event, events, changes, state });
};

interface StepLines {
  readonly lines: readonly string[];
  readonly checked: number;
  /** Where the next page begins; null: there is none. */
  readonly next: number | null;
}

const linesOf = async (query: StepPageQuery, found: CagedSteps): Promise<StepLines> => {
  const until = performance.now() + PAGE_MS;
  const lines: string[] = [];
  let [checked, chars] = [0, 0];
  const goOn = (seq: number): StepLines => ({ lines, checked, next: seq < found.to ? seq + 1 : null });
  for await (const { steps, to } of found.batches()) {
    for (const step of steps) {
      checked += 1;
      if (!isMeant(query, step)) continue;
      const line = lineOf(query, step);
      chars += line.length;
      if (chars > PAGE_CHARS && lines.length > 0) return goOn(step.seq - 1);
      lines.push(line);
      if (lines.length >= query.limit) return goOn(step.seq);
    }
    if (performance.now() > until || query.signal.aborted) return goOn(to);
  }
  return { lines, checked, next: null };
};

/**
 * One page of steps, as `replay state --step --json` has them. `base` is what the agent was before the first; null: it
 * was nothing, or the steps are of all agents.
 */
export const stepPage = async (query: StepPageQuery): Promise<JsonText> => {
  await using found = await CagedSteps.open(query);
  const { agent, masks, manifest } = query;
  const base = agent === undefined ? undefined : await found.base(agent);
  const shown = base === undefined ? null : { ...base, state: masks.state(manifest.name, base.state) };
  const { lines, checked, next } = await linesOf(query, found);
  return new JsonText(
    `{"base":${writeJson(shown)},"steps":[${lines.join(',')}],"checked":${checked},"to":${found.to},"next":${next}}`,
  );
};
