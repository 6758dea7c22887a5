import { isLeft, left, right } from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import {
  type AgentStep,
  agentSteps,
  type BisectQuery,
  changesBetween,
  firstWhere,
  type PathChange,
  pathChanges,
  type StepsQuery,
  type StateAtQuery,
  stateAt,
  type WatchQuery,
} from '../replay/index.js';
import { type Fault, FaultError, toFault } from '../schemas/errors.js';
import { describeState, placeText, unknownAgent, who } from './agent-states.js';
import { EXIT, type ExitCode } from './exit.js';
import { print, printJson, printLine } from './output.js';
import { type ProgressBar, progressBar } from './progress-bar.js';
import { done } from './run.js';
import { eventText, fromTo, stepText, wantsColour } from './step-text.js';
import { stepThrough } from './stepper.js';

type Query = Omit<StepsQuery, 'onProgress'>;

/** At one place, or as it is now: by the log, so what the snapshots lack is folded. */
export const showState = (
  query: Omit<StateAtQuery, 'at'>,
  at: number | Date | undefined,
  json: boolean,
): TE.TaskEither<Fault, ExitCode> =>
  pipe(
    stateAt({ ...query, at: at ?? Number.MAX_SAFE_INTEGER }),
    TE.chainEitherK((found) => {
      const { agent } = query;
      const module = query.module.manifest.name;
      if (found === undefined)
        return unknownAgent(module, agent, at === undefined ? '' : ` by ${placeText(at)}`);
      const { at: upTo, folded, note, ...state } = found;
      if (json) printJson({ module, agent, ...state, at: upTo, folded, note });
      else {
        const how = `as it was at ${upTo}, ${folded} records folded`;
        print(describeState(module, agent, state, [how, ...(note === undefined ? [] : [note])]));
      }
      return right(done);
    }),
  );

/** Works on a query whose progress a bar shows, and tells an agent without steps from one that there is not. */
const withSteps =
  <Q extends Query>(
    query: Q,
    work: (query: Q & Pick<StepsQuery, 'onProgress'>, bar: () => void) => Promise<ExitCode | 'no steps'>,
  ): TE.TaskEither<Fault, ExitCode> =>
  async () => {
    let bar: ProgressBar | undefined;
    const onProgress = (seq: number, fromSeq: number, toSeq: number): void => {
      bar ??= progressBar('records', toSeq - fromSeq + 1);
      bar.update(seq - fromSeq + 1);
    };
    try {
      const code = await work({ ...query, onProgress }, () => bar?.clear());
      if (code !== 'no steps') return right(code);
      const { module, agent } = query;
      const last = await stateAt({ ...query, at: Number.MAX_SAFE_INTEGER })();
      if (isLeft(last)) return last;
      return last.right === undefined ? unknownAgent(module.manifest.name, agent) : right(done);
    } catch (thrown) {
      return left(toFault(thrown));
    } finally {
      bar?.[Symbol.dispose]();
    }
  };

const withChanges = ({ seq, time, event, events, before, state }: AgentStep) => ({
  seq,
  time,
  event,
  events,
  changes: changesBetween(before, state),
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

/** Every step of an agent with what it changes: key by key on a terminal, else one after the other. */
export const showSteps = (query: Query, json: boolean): TE.TaskEither<Fault, ExitCode> => {
  const colour = wantsColour();
  const text = (step: AgentStep): string => stepText(step, changesBetween(step.before, step.state), colour);
  if (!json && process.stdin.isTTY && process.stdout.isTTY) {
    return withSteps(query, async () => {
      const shown = await stepThrough(agentSteps(query), keyboard(), {
        show: (step) => print(text(step)),
        showWhole: ({ state }) => printJson(state, true),
        say: print,
      });
      return shown === 0 ? 'no steps' : done;
    });
  }
  return withSteps(query, async (counted, clear) => {
    let shown = 0;
    for await (const step of agentSteps(counted)) {
      if (process.stdout.isTTY) clear();
      await printLine(json ? JSON.stringify(withChanges(step)) : text(step));
      shown += 1;
    }
    return shown === 0 ? 'no steps' : done;
  });
};

const changeLine = (change: PathChange): string => {
  const { seq, time, events } = change;
  return `${seq}  ${time}  ${fromTo(change)}  ${eventText(events)}`;
};

/** Every change of one part of the state; exit code 1 when there was none. */
export const showChanges = (query: WatchQuery, json: boolean): TE.TaskEither<Fault, ExitCode> =>
  withSteps(query, async (counted, clear) => {
    let [shown, steps] = [0, 0];
    const onProgress: typeof counted.onProgress = (...at) => {
      steps += 1;
      counted.onProgress?.(...at);
    };
    for await (const change of pathChanges({ ...counted, onProgress })) {
      if (process.stdout.isTTY) clear();
      await printLine(json ? JSON.stringify(change) : changeLine(change));
      shown += 1;
    }
    if (shown > 0) return done;
    return steps === 0 ? 'no steps' : EXIT.no;
  });

/** The first record with which a condition holds; exit code 1 when it does with none. */
export const showFirst = (
  query: BisectQuery,
  expression: string,
  json: boolean,
): TE.TaskEither<Fault, ExitCode> =>
  withSteps(query, async (counted, clear) => {
    const begun = performance.now();
    const outcome = await firstWhere(counted)();
    if (isLeft(outcome)) throw new FaultError(outcome.left);
    const { found, checked } = outcome.right;
    if (checked === 0) return 'no steps';
    clear();
    const seconds = Math.round(performance.now() - begun) / 1_000;
    const { agent, module } = query;
    const records = `${checked.toLocaleString('en')} records of ${who(module.manifest.name, agent)} in ${seconds} s`;
    if (found === undefined) {
      if (json) printJson({ seq: null, checked, seconds });
      else print(`${expression} never holds: looked at ${records}`);
      return EXIT.no;
    }
    const { before } = found;
    if (json) printJson({ ...withChanges(found), before, checked, seconds });
    else {
      print(`${expression} holds first at ${found.seq}:`);
      print(stepText(found, changesBetween(before, found.state), wantsColour()));
      print(`looked at ${records}`);
    }
    return done;
  });
