import { isLeft } from 'fp-ts/lib/Either.js';
import { type Outcome, outcomeOf, refusedOutcome, threw } from '../../modules/host/handler-outcome.js';
import { readCommand } from '../../modules/host/read-command.js';
import type { CompiledModule } from '../../modules/sdk/compiled-module.js';
import { foldEvents } from '../../modules/sdk/fold.js';
import type { Command, EffectAction, PureAction } from '../../modules/sdk/module-shape.js';
import { type AnyEvent, withEmitted } from '../../modules/sdk/checked-outcome.js';
import { fault } from '../../schemas/errors.js';
import { DEFAULT_DEADLINE_MS } from '../../schemas/manifest.js';
import type { CommandSubject } from '../../schemas/subjects.js';
import { splitSubject } from '../../schemas/subjects.js';
import {
  type CallMade,
  type PlainRecord,
  type RecordedCall,
  type Stopped,
  storedMessage,
} from './runner-messages.js';
import { made, recordedContext } from './recorded-calls.js';

export interface HandledAgain {
  readonly outcome: Outcome;
  readonly notMade: readonly CallMade[];
}

/** What a process without rights throws. */
const OUTSIDE: ReadonlySet<unknown> = new Set(['ERR_ACCESS_DENIED', 'ERR_OUTSIDE_REFUSED']);

const outside = (thrown: unknown): Stopped | undefined => {
  for (let error = thrown; error instanceof Error; error = error.cause) {
    if (OUTSIDE.has((error as NodeJS.ErrnoException).code)) return { why: 'outside', what: error.message };
  }
  return undefined;
};

const late = (named: string, deadlineMs: number): Outcome =>
  refusedOutcome(fault('HANDLER_TIMEOUT', `the handler of ${named} did not finish within ${deadlineMs} ms`));

/** What the host answers to a command that ended its process. */
export const crashed = (module: string): HandledAgain => {
  const text = `the process of ${module} ended or hung while it handled this command`;
  return { outcome: refusedOutcome(fault('HANDLER_CRASHED', text)), notMade: [] };
};

/** Runs an effectful handler on recorded answers. */
const run = (
  { module, checks }: CompiledModule,
  action: string,
  command: Command,
  state: unknown,
  calls: readonly RecordedCall[],
): Promise<HandledAgain | Stopped> =>
  new Promise((resolve) => {
    const named = `${module.manifest.name}.${action}`;
    const deadlineMs = module.manifest.actions[action]?.deadlineMs ?? DEFAULT_DEADLINE_MS;
    const abort = new AbortController();
    const end = (ended: Outcome | Stopped): void => {
      clearTimeout(timer);
      abort.abort();
      resolve('why' in ended ? ended : { outcome: ended, notMade: recorded.notMade() });
    };
    const timer = setTimeout(() => end(late(named, deadlineMs)), deadlineMs);
    const recorded = recordedContext(
      module,
      { action, agent: command.agent },
      state,
      calls,
      abort.signal,
      end,
      () => end(late(named, deadlineMs)),
    );
    const handler = module.actions[action] as EffectAction<unknown, unknown, unknown, AnyEvent>;
    const settled = async (): Promise<Outcome | Stopped> => {
      try {
        const returned = await handler.run(command, recorded.context)();
        return outcomeOf(module, checks, action, command, withEmitted(returned, recorded.emitted));
      } catch (error) {
        return outside(error) ?? threw(named, error);
      }
    };
    void settled().then(end);
  });

const decide = (
  { module, checks }: CompiledModule,
  action: string,
  command: Command,
  state: unknown,
): Outcome | Stopped => {
  const { decide } = module.actions[action] as PureAction<unknown, unknown, unknown, AnyEvent>;
  try {
    return outcomeOf(module, checks, action, command, decide(state, command));
  } catch (error) {
    return outside(error) ?? threw(`${module.manifest.name}.${action}`, error);
  }
};

/** The host answers so what the module could not fold. */
const foldable = (
  { module }: CompiledModule,
  action: string,
  state: unknown,
  handled: HandledAgain,
): HandledAgain => {
  try {
    foldEvents(module, state, handled.outcome.events);
    return handled;
  } catch (error) {
    const what = `the fold of the events of ${module.manifest.name}.${action}`;
    return { ...handled, outcome: threw(what, error) };
  }
};

/** Handles a recorded command by this code, on a state, as the host would have when the command was stored. */
export const handleAgain = async (
  subject: CompiledModule,
  record: PlainRecord,
  state: unknown,
  calls: readonly RecordedCall[],
  config?: unknown,
): Promise<HandledAgain | Stopped> => {
  const { module, checks } = subject;
  const message = storedMessage(record);
  const { name: action, ...address } = splitSubject(message.subject) as CommandSubject;
  const notMade = calls.map(made);
  const read = readCommand({ module, checks }, { ...address, name: action }, message, message.timeMs, config);
  if (isLeft(read)) return { outcome: refusedOutcome(read.left), notMade };
  const handler = Object.hasOwn(module.actions, action) ? module.actions[action] : undefined;
  if (handler === undefined) {
    const text = `${module.manifest.name} has no handler for ${action}`;
    return { outcome: refusedOutcome(fault('ACTION_UNKNOWN', text)), notMade };
  }
  const ended =
    'run' in handler
      ? await run(subject, action, read.right, state, calls)
      : decide(subject, action, read.right, state);
  if ('why' in ended) return ended;
  const handled = 'outcome' in ended ? ended : { outcome: ended, notMade };
  return foldable(subject, action, state, handled);
};
