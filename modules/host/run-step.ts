import { AsyncLocalStorage } from 'node:async_hooks';
import * as E from 'fp-ts/lib/Either.js';
import type { Draft } from '../../journal/append/draft.js';
import type { StepReply } from '../../schemas/control.js';
import { cancelledRefusal } from '../../schemas/cancel.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { HEADER } from '../../schemas/headers.js';
import { encodeJson } from '../../schemas/json.js';
import { type Refusal, refusal } from '../../schemas/result.js';
import { type EndedStep, type Step, shownStep } from '../../schemas/step.js';
import { schemaOfPath } from '../../schemas/sensitive.js';
import { stepSubject } from '../../schemas/subjects.js';
import type { AgentSeals } from '../../store/seals/agent-seals.js';
import type { HideTexts } from '../../text/hidden-texts.js';
import type { AnyModule, Command } from '../sdk/module-shape.js';
import type { StepFunction, StepOptions } from '../sdk/step-function.js';
import { attemptStep } from './attempt-step.js';
import type { HandlerClock } from './handler-clock.js';
import type { StepLog, StepPlace } from './step-log.js';

/** Set while the function of a step runs. */
const inStep = new AsyncLocalStorage<string>();

/** Why a handler may not call or step now; undefined if it may. */
export const insideStep = (): Fault | undefined => {
  const name = inStep.getStore();
  return name === undefined
    ? undefined
    : fault('STEP_INVALID', `step ${name} makes a call or a step: its function does not run again`);
};

/** What every step of a module shares. */
export interface StepServices {
  readonly steps: Pick<StepLog, 'key' | 'calls' | 'last' | 'at' | 'store'>;
  readonly clock: HandlerClock;
  /** From 0 to 1: shortens pauses. */
  readonly random: () => number;
  /** Of a module that encrypts. */
  readonly seals?: AgentSeals | undefined;
  /** Hides secrets of the configuration in a text. */
  readonly hide?: (() => HideTexts | undefined) | undefined;
}

/** A step of one run. */
export interface AskedStep extends StepPlace {
  readonly action: string;
  readonly command: Command;
  readonly name: string;
  readonly run: StepFunction<unknown>;
  readonly options: StepOptions;
  readonly signal: AbortSignal;
  readonly isOver: () => boolean;
  /** The highest number that the log has of the command. */
  readonly last: number;
  /** The command of its key: the one before a restart, if the effect may have happened there. */
  readonly keyOf: number;
}

/** What a step came to. */
export interface StepAnswer {
  readonly said: E.Either<Refusal, unknown>;
  /** The body of its record; undefined if the log has none. */
  readonly body?: Uint8Array;
  /** The log has something else at that number. */
  readonly differs?: Fault;
}

/** What a handler gets of a step. */
export const saidBy = (step: EndedStep): E.Either<Refusal, unknown> =>
  step.status === 'ok'
    ? E.right(step.value)
    : E.left(
        step.status === 'cancelled'
          ? cancelledRefusal(step.cancel)
          : refusal(fault(step.error.code, step.error.message)),
      );

const stopped = (why: Fault): StepAnswer => ({ said: E.left(refusal(why)) });

/** Another operation than the log has at a number; undefined: it is the same. */
const differing = ({ cause, call, name }: AskedStep, { seq, step, other }: StepReply): Fault | undefined => {
  if (step !== undefined && step.status !== 'waiting' && step.name === name) return undefined;
  const recorded = step === undefined ? other : shownStep(step);
  const text = `call ${call} of command ${cause} is recorded at ${seq} as ${recorded}; the handler that runs again asks for step ${name}`;
  return fault('REPLAY_DIFFERS', text);
};

const VALUE = schemaOfPath('value');

/** The body as it is stored: the value is encrypted if the module encrypts. AGENT_ERASED. */
const sealed = (
  { manifest }: AnyModule,
  { seals }: StepServices,
  { action, command }: AskedStep,
  step: Step,
): E.Either<Fault, Uint8Array> => {
  const body = encodeJson(step);
  if (seals === undefined) return E.right(body);
  return seals.seal(command.agent, `step.${action}`, body, manifest.encrypt === true ? VALUE : undefined);
};

const opened = (
  { seals }: StepServices,
  { command }: AskedStep,
  body: Uint8Array,
): E.Either<Fault, EndedStep> => {
  const plain = seals === undefined ? E.right(body) : seals.open(command.agent, body);
  return E.map((bytes: Uint8Array) => JSON.parse(Buffer.from(bytes).toString('utf8')) as EndedStep)(plain);
};

/** The record of a step of the handler of a command, at its number. */
export const stepDraft = (
  { manifest }: AnyModule,
  { cause, call, action, command }: StepPlace & Pick<AskedStep, 'action' | 'command'>,
  data: Uint8Array,
): Draft => {
  const agent = command.agent === '' ? {} : { agent: command.agent };
  return {
    subject: stepSubject({ module: manifest.name, name: action, ...agent }),
    data,
    headers: {
      [HEADER.cause]: String(cause),
      [HEADER.call]: String(call),
      [HEADER.conversation]: String(command.conversation),
    },
  };
};

/** What the log has of a step; undefined: nothing. */
const stepInLog = async (services: StepServices, asked: AskedStep): Promise<StepAnswer | undefined> => {
  const found = await services.steps.at(asked);
  if (found.seq === undefined) return undefined;
  const differs = differing(asked, found);
  if (differs !== undefined) return { ...stopped(differs), differs };
  const body = encodeJson(found.step);
  const step = opened(services, asked, body);
  return E.isLeft(step) ? stopped(step.left) : { said: saidBy(step.right), body };
};

/** The text of what a step threw, as it may be stored. */
const shownText = ({ manifest }: AnyModule, { hide, seals }: StepServices, text: string): string => {
  if (seals !== undefined && manifest.encrypt === true)
    return 'its text is not stored, because the module encrypts';
  return hide?.()?.(text) ?? text;
};

/** Gives a handler what its step returned: by the log if the log has it, else by its function, once that is stored. */
export const runStep = async (
  module: AnyModule,
  services: StepServices,
  asked: AskedStep,
): Promise<StepAnswer> => {
  const { cause, call, keyOf, name, run, options, signal, isOver, last } = asked;
  const recorded = call > last ? undefined : await stepInLog(services, asked);
  if (recorded !== undefined) return recorded;
  const late = (): StepAnswer =>
    stopped(fault('HANDLER_TIMEOUT', `the handler had no time left for step ${name}`));
  const key = await services.steps.key({ cause: keyOf, call });
  if (isOver()) return late();
  const { clock, random } = services;
  const step = await attemptStep(name, run, options, {
    clock,
    random,
    signal,
    key,
    shown: (text) => shownText(module, services, text),
    apart: (begin) => inStep.run(name, begin),
  });
  if (step === undefined) return late();
  const body = sealed(module, services, asked, step);
  if (E.isLeft(body)) return stopped(body.left);
  const stored = await services.steps.store({ cause, call }, stepDraft(module, asked, body.right), isOver);
  return E.isLeft(stored) ? stopped(stored.left) : { said: saidBy(step), body: body.right };
};
