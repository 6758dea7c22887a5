import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { printPath, valueAt } from '../../replay/expression/path.js';
import { stateAt } from '../../replay/fold/state-at.js';
import { type BisectQuery, firstWhere } from '../../replay/state/bisect.js';
import type { Masks } from '../../schemas/masks.js';
import { maskedPathChange } from './masked-steps.js';
import { maskedStep } from '../../replay/state/masked-step.js';
import { type AgentStep, agentSteps, type StepsQuery } from '../../replay/state/state-steps.js';
import { type PathChange, pathChanges, type WatchQuery } from '../../replay/state/watch-state.js';
import { type Fault, FaultError, fault } from '../../schemas/errors.js';
import { clip } from '../../text/printable.js';
import { writeJson } from '../../schemas/write-json.js';
import { unknownAgent, who } from './with-agents.js';
import { EXIT, type ExitCode } from '../output/exit.js';
import { print, printJson, printLine, verbatim } from '../output/output.js';
import { type ProgressBar, progressBar } from '../text/progress-bar.js';
import { done } from '../output/run-command.js';
import { eventText, fromTo, stepText } from '../text/step-text.js';
import { stepThrough } from './stepper.js';
import { terminal } from '../output/terminal.js';
import { faultThrown } from '../output/thrown-fault.js';
import { formatNumber } from '../../text/numbers.js';

type Query = Omit<StepsQuery, 'onProgress'>;

/**
 * Runs a query with a progress bar. If the query finds nothing, it prints `nothing`; but if the agent does not exist,
 * the result is AGENT_UNKNOWN.
 */
const withSteps =
  <Q extends Query>(
    query: Q,
    work: (query: Q & Pick<StepsQuery, 'onProgress'>, clear: () => void) => Promise<ExitCode | 'nothing'>,
    nothing: (state: unknown) => Either<Fault, ExitCode>,
  ): TaskEither<Fault, ExitCode> =>
  async () => {
    let bar: ProgressBar | undefined;
    const onProgress = (seq: number, fromSeq: number, toSeq: number): void => {
      bar ??= progressBar('records', toSeq - fromSeq + 1);
      bar.update(seq - fromSeq + 1);
    };
    const clear = (): void => bar?.clear();
    try {
      const found = await work({ ...query, onProgress }, clear);
      if (found !== 'nothing') return right(found);
      clear();
      const { module, agent } = query;
      const last = await stateAt({ ...query, at: Number.MAX_SAFE_INTEGER })();
      if (isLeft(last)) return last;
      return last.right === undefined ? unknownAgent(module.manifest.name, agent) : nothing(last.right.state);
    } catch (thrown) {
      return left(faultThrown(thrown));
    } finally {
      bar?.[Symbol.dispose]();
    }
  };

const withChanges = ({ seq, time, event, events, changes, state }: ReturnType<typeof maskedStep>) => ({
  seq,
  time,
  event,
  events,
  changes,
  state,
});

async function* keyboard(): AsyncGenerator<string, void, void> {
  const { stdin } = process;
  stdin.setRawMode(true);
  stdin.setEncoding('utf8');
  try {
    for await (const chunk of stdin) yield chunk as string;
  } finally {
    stdin.setRawMode(false);
  }
}

/** Every step of an agent with its changes. On a terminal a key shows the next step. */
export const showSteps = (query: Query, json: boolean, masks: Masks): TaskEither<Fault, ExitCode> => {
  const colour = terminal().colour;
  const shownOf = (step: AgentStep): ReturnType<typeof maskedStep> =>
    maskedStep(masks, query.module.manifest.name, step);
  const text = (step: AgentStep) => {
    const shown = shownOf(step);
    return verbatim(stepText(shown, shown.changes, colour));
  };
  const byKey = async (): Promise<ExitCode | 'nothing'> => {
    const shown = await stepThrough(agentSteps(query), keyboard(), {
      show: (step) => print(text(step)),
      showWhole: (step) => printJson(shownOf(step).state, true),
      say: print,
    });
    return shown === 0 ? 'nothing' : done;
  };
  const all = async (counted: StepsQuery, clear: () => void): Promise<ExitCode | 'nothing'> => {
    let shown = 0;
    for await (const step of agentSteps(counted)) {
      if (process.stdout.isTTY) clear();
      await printLine(json ? writeJson(withChanges(shownOf(step))) : text(step));
      shown += 1;
    }
    return shown === 0 ? 'nothing' : done;
  };
  const hasKeys = !json && process.stdin.isTTY && process.stdout.isTTY;
  return withSteps(query, hasKeys ? byKey : all, () => right(done));
};

const nameOf = ({ agent, module }: Query): string => who(module.manifest.name, agent);

const changeLine = (change: PathChange): string => {
  const { seq, time, events } = change;
  return `${seq}  ${time}  ${fromTo(change)}  ${eventText(events)}`;
};

/** The keys at the top of a state, for a mistyped path. */
const keysOf = (state: unknown): string => {
  const keys = typeof state === 'object' && state !== null ? Object.keys(state) : [];
  return keys.length === 0
    ? 'the last state has no keys'
    : `the last state has ${clip(keys.join(', '), 200)}`;
};

/**
 * Every change of one part of the state. Exit code 1 if there was none, EXPRESSION_INVALID if no state has that part.
 */
export const showChanges = (query: WatchQuery, json: boolean, masks: Masks): TaskEither<Fault, ExitCode> => {
  let isKnown = false;
  return withSteps(
    query,
    async (counted, clear) => {
      let shown = 0;
      const onSeen = (): void => {
        isKnown = true;
      };
      for await (const found of pathChanges({ ...counted, onSeen })) {
        const change = maskedPathChange(masks, query.module.manifest.name, query.path, found);
        if (process.stdout.isTTY) clear();
        await printLine(json ? writeJson(change) : changeLine(change));
        shown += 1;
      }
      return shown === 0 ? 'nothing' : done;
    },
    (state) => {
      const { path, equals } = query;
      if (!isKnown && valueAt(state, path) === undefined) {
        const text = `no state of ${nameOf(query)} has ${printPath(path)}; ${keysOf(state)}`;
        return left(fault('EXPRESSION_INVALID', text));
      }
      const what = equals === undefined ? 'never changed' : `never became ${JSON.stringify(equals.value)}`;
      if (!json) print(`${printPath(path)} of ${nameOf(query)} ${what}`);
      return right(EXIT.no);
    },
  );
};

/** The first record after which a condition holds. Exit code 1 if it never holds. */
export const showFirst = (
  query: BisectQuery,
  expression: string,
  json: boolean,
  masks: Masks,
): TaskEither<Fault, ExitCode> => {
  const begun = performance.now();
  let checked = 0;
  const seconds = (): number => Math.round(performance.now() - begun) / 1_000;
  const looked = (): string =>
    `looked at ${formatNumber(checked)} records of ${nameOf(query)} in ${seconds()} s`;
  const never = (): ExitCode => {
    if (json) printJson({ seq: null, checked, seconds: seconds() });
    else print(`${expression} never holds: ${looked()}`);
    return EXIT.no;
  };
  return withSteps(
    query,
    async (counted, clear) => {
      const outcome = await firstWhere(counted)();
      if (isLeft(outcome)) throw new FaultError(outcome.left);
      const { found } = outcome.right;
      checked = outcome.right.checked;
      if (found === undefined) return 'nothing';
      clear();
      const step = maskedStep(masks, query.module.manifest.name, found);
      if (json) printJson({ ...withChanges(step), before: step.before, checked, seconds: seconds() });
      else {
        print(`${expression} holds first at ${found.seq}:`);
        print(verbatim(stepText(step, step.changes, terminal().colour)));
        print(looked());
      }
      return done;
    },
    () => right(never()),
  );
};
