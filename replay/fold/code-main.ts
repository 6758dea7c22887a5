/**
 * The process in which the code of a module folds states for another process: without a connection, a credential, or
 * anything to write.
 */
import { runHere } from '../../modules/host/load-module.js';
import type { AnyModule } from '../../modules/sdk/module-shape.js';
import { nextFrame, sendFrame } from '../../system/processes/frames.js';
import { messageOf } from '../../text/thrown-message.js';
import {
  ANSWERS_FD,
  type CodeAnswer,
  type CodeQuestion,
  type CodeShape,
  QUESTIONS_FD,
  type Sent,
} from './code-messages.js';

/** States that a later question may name: so much JSON, in characters. */
const MOST_HELD = 32 * 1024 * 1024;

interface Held {
  readonly state: object;
  readonly size: number;
}

const held = new Map<number, Held>();
let heldSize = 0;
let numbers = 0;

const forget = (number: number): Held | undefined => {
  const found = held.get(number);
  held.delete(number);
  heldSize -= found?.size ?? 0;
  return found;
};

/** A number for a state, so that the next event need not come with it. */
const keep = (state: unknown, size: number): number | undefined => {
  if (typeof state !== 'object' || state === null) return undefined;
  numbers += 1;
  held.set(numbers, { state, size });
  heldSize += size;
  for (const [oldest] of held) {
    if (heldSize <= MOST_HELD || oldest === numbers) break;
    forget(oldest);
  }
  return numbers;
};

const sent = (value: unknown): Sent => (value === undefined ? {} : { value });

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

const upcastShape = (upcast: unknown): NonNullable<CodeShape['upcast']> | null =>
  isObject(upcast)
    ? Object.entries(upcast).map(([version, lifts]) => [
        version,
        isObject(lifts)
          ? Object.entries(lifts).map(([event, lift]) => [event, typeof lift === 'function'])
          : null,
      ])
    : null;

const shapeOf = ({ manifest, initial, evolve, actions, upcast }: AnyModule): CodeShape => ({
  manifest,
  initial: sent(initial),
  events: Object.keys(evolve),
  actions: Object.entries(actions).map(([name, action]) => [name, 'decide' in (action as object)]),
  ...(upcast === undefined ? {} : { upcast: upcastShape(upcast) }),
});

let module: AnyModule | undefined;

const loaded = (): AnyModule => {
  if (module === undefined) throw new Error('there is no code to run');
  return module;
};

const load = async (path: string, entry: string): Promise<CodeAnswer> => {
  module = await runHere(path, entry);
  return { kind: 'loaded', shape: shapeOf(module) };
};

/** A state is used once: code that changes it in place would change what the number stands for. */
const before = (named: number | Sent): Sent | undefined => {
  if (typeof named !== 'number') return named;
  const found = forget(named);
  return found === undefined ? undefined : { value: found.state };
};

const answerTo = (question: Exclude<CodeQuestion, { readonly kind: 'load' }>): CodeAnswer => {
  const { evolve, upcast = {} } = loaded();
  const data = question.data.value as never;
  if (question.kind === 'upcast') {
    const lift = upcast[Number(question.from)]?.[question.event] as (data: unknown) => unknown;
    return { kind: 'value', sent: sent(lift(data)) };
  }
  const base = before(question.before);
  if (base === undefined) return { kind: 'forgotten' };
  const state: unknown = (evolve[question.event] as (state: unknown, data: unknown) => unknown)(
    base.value,
    data,
  );
  const size = isObject(state) ? (JSON.stringify(state) ?? '').length : 0;
  return { kind: 'value', number: keep(state, size), sent: sent(state) };
};

const threw = (thrown: unknown): CodeAnswer => {
  const { code, stack } = (thrown ?? {}) as NodeJS.ErrnoException;
  return {
    kind: 'threw',
    threw: {
      message: messageOf(thrown),
      stack: typeof stack === 'string' ? stack : undefined,
      code: typeof code === 'string' ? code : undefined,
    },
  };
};

const answer = async (question: CodeQuestion): Promise<CodeAnswer> => {
  try {
    return question.kind === 'load' ? await load(question.path, question.entry) : answerTo(question);
  } catch (thrown) {
    return threw(thrown);
  }
};

for (;;) {
  const question = nextFrame(QUESTIONS_FD) as CodeQuestion | undefined;
  if (question === undefined) process.exit();
  const said = await answer(question);
  try {
    sendFrame(ANSWERS_FD, said);
  } catch (thrown) {
    // What JSON cannot be. The other side is gone if this fails too.
    sendFrame(ANSWERS_FD, threw(thrown));
  }
}
