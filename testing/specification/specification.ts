import assert from 'node:assert/strict';
import { EVENTS_SENDER } from '../../schemas/heard-events.js';
import { type CompiledModule, compileModule } from '../../modules/sdk/compiled-module.js';
import type { ActionName, EventOf, Input, Output, TypedManifest } from '../../modules/sdk/define-manifest.js';
import { givenConfig } from '../../modules/sdk/given-config.js';
import type { AnyModule, Command, Module, Send } from '../../modules/sdk/module-shape.js';
import { assertCalls, assertOutcome, assertRejected } from './assertions.js';
import { decidePurely, runScripted } from './handling.js';
import { frozen } from './plain.js';
import type { ScriptedReply, ScriptedSignals } from './scripted-calls.js';
import { foldChecked, must } from './subject.js';

/** What of a command the test wants to choose. */
export interface CommandOptions {
  /** 1 when absent. */
  readonly seq?: number;
  /** RFC 3339; 2026-01-01T00:00:00.000Z when absent. */
  readonly time?: string;
  /** `guest` when absent; the module itself where only that may send the action. */
  readonly sender?: string;
  /** The command's own `seq` when absent: it begins a conversation. */
  readonly conversation?: number;
  /** The command is cancelled: this call or step of its handler, from 1, gets CANCELLED. */
  readonly cancelledAt?: number;
}

/** What a decision must be. Events and commands that are not named must not be there; absent `data` is not compared. */
export interface Expected<M extends TypedManifest, State, A extends ActionName<M>> {
  readonly data?: Output<M, A>;
  readonly events?: readonly EventOf<M>[];
  readonly commands?: readonly Send[];
  /** The agent's state once the events are folded; absent: not compared. */
  readonly state?: State;
}

/** The same for an effectful handler, which must have made these calls, in this order, and no others. */
export interface ExpectedWithCalls<M extends TypedManifest, State, A extends ActionName<M>>
  extends Expected<M, State, A> {
  readonly calls?: readonly Send[];
}

/** Not called `then`: an async function that returned such an object would await it as a promise. */
export interface ExpectedOfEffect<M extends TypedManifest, State, A extends ActionName<M>> {
  readonly thenDecided: (expected: ExpectedWithCalls<M, State, A>) => Promise<void>;
  readonly thenRejected: (code: string, expected?: { readonly calls?: readonly Send[] }) => Promise<void>;
}

export interface ExpectedOfCommand<M extends TypedManifest, State, A extends ActionName<M>> {
  /** Of a pure action. */
  readonly thenDecided: (expected: Expected<M, State, A>) => void;
  /** Of a pure action, or of a command that does not get to its handler: `PAYLOAD_INVALID`, `CALLER_FORBIDDEN` … */
  readonly thenRejected: (code: string) => void;
  /** Of an effectful action: answers its calls. `signals`: what `awaitSignal` gives, by name. Waits are skipped. */
  readonly answering: (answer: ScriptedReply, signals?: ScriptedSignals) => ExpectedOfEffect<M, State, A>;
}

/** The given, when and then of one agent. */
export interface AgentSpecification<M extends TypedManifest, State> {
  /** What has happened to the agent, in order; given again, it happens after that. */
  readonly given: (events: readonly EventOf<M>[]) => AgentSpecification<M, State>;
  readonly when: <A extends ActionName<M>>(
    action: A,
    data: Input<M, A>,
    options?: CommandOptions,
  ) => ExpectedOfCommand<M, State, A>;
  /** The agent hears an event of another module, `accounts.deposited`, with these data. */
  readonly whenHeard: (
    event: string,
    data: unknown,
    options?: HeardOptions,
  ) => ExpectedOfCommand<M, State, ActionName<M>>;
}

/** What of an event the test wants to choose. */
export interface HeardOptions extends CommandOptions {
  /** The agent of the event; the agent of the specification when absent. */
  readonly agent?: string | null;
}

/** The given, when and then of a module. */
export interface Specification<M extends TypedManifest, State> {
  readonly agent: (name: string) => AgentSpecification<M, State>;
  /** The module itself, for actions without an agent. */
  readonly itself: AgentSpecification<M, State>;
}

const DEFAULT_TIME = '2026-01-01T00:00:00.000Z';

/** The action that handles an event: that of the entry that names it, or of the one for all events of its module. */
const hearingAction = ({ module: { manifest } }: CompiledModule, event: string): string => {
  const { on = {} } = manifest;
  const entry = on[event] ?? on[`${event.split('.', 1)[0]}.>`];
  return entry === undefined
    ? assert.fail(`${manifest.name} does not listen to ${event}; it listens to ${Object.keys(on).join(', ')}`)
    : entry.action;
};

const agentSpecification = <M extends TypedManifest, State>(
  subject: CompiledModule,
  config: unknown,
  agent: string,
  state: unknown,
): AgentSpecification<M, State> => ({
  given: (events) => agentSpecification(subject, config, agent, foldChecked(subject, state, events)),
  whenHeard: (event, data, { agent: of = agent === '' ? null : agent, ...options } = {}) => {
    const { seq = 1, time = DEFAULT_TIME } = options;
    const action = hearingAction(subject, event);
    const delivered = { event, agent: of, seq, time, data };
    return agentSpecification<M, State>(subject, config, agent, state).when(
      action as ActionName<M>,
      delivered as never,
      { sender: EVENTS_SENDER, seq: seq + 1, ...options },
    );
  },
  when: (action, data, { seq = 1, time = DEFAULT_TIME, sender, conversation = seq, cancelledAt } = {}) => {
    const { name, actions } = subject.module.manifest;
    const usual = actions[action]?.callers === 'self' ? name : 'guest';
    const command: Command = { seq, time, agent, sender: sender ?? usual, conversation, data, config };
    return {
      thenDecided: (expected) =>
        assertOutcome(subject, state, decidePurely(subject, action, state, command), expected),
      thenRejected: (code) => assertRejected(decidePurely(subject, action, state, command), code),
      answering: (answer, signals) => {
        const run = () => runScripted(subject, action, state, command, answer, cancelledAt, signals);
        return {
          thenDecided: async (expected) => {
            const { outcome, recorded } = await run();
            assertOutcome(subject, state, outcome, expected);
            assertCalls(recorded, expected.calls ?? []);
          },
          thenRejected: async (code, expected = {}) => {
            const { outcome, recorded } = await run();
            assertRejected(outcome, code);
            assertCalls(recorded, expected.calls ?? []);
          },
        };
      },
    };
  },
});

/** What the handlers of a specification have besides commands. */
export interface SpecificationOptions {
  /** The configuration of the module, by key. Keys that are absent have the defaults of their schemas. */
  readonly config?: Readonly<Record<string, unknown>>;
}

/** Given, when, then for the handlers of a module. */
export const specification = <M extends TypedManifest, State>(
  module: Module<M, State>,
  { config: values = {} }: SpecificationOptions = {},
): Specification<M, State> => {
  const subject = compileModule(module as unknown as AnyModule);
  const config = must(givenConfig(module.manifest, values), 'the configuration');
  const of = (agent: string) => agentSpecification<M, State>(subject, config, agent, frozen(module.initial));
  return { agent: of, itself: of('') };
};
