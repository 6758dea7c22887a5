import type { ActionCall } from '../../../modules/client/index.js';
import type { Refused } from '../../../modules/sdk/index.js';
import market from '../../fixtures/modules/market/index.js';
import purse from '../../fixtures/modules/purse/index.js';
import { comparable, type ComparableRecord, withoutNumbers } from './comparable.js';
import { type ContractCall, type ContractStep, type ContractWhen, PEOPLE, STALLS } from './step.js';
import type { World } from './world.js';

type AnyCall = ActionCall<unknown, unknown, string>;

/** All that a scenario leads to, without what differs between two logs with the same content. */
export interface ScenarioOutcome {
  readonly results: readonly unknown[];
  readonly records: readonly ComparableRecord[];
  readonly dead: readonly unknown[];
}

/** Longer than the time limit of `market.break`, and than the pauses of `market.flaky`. */
const STEP_MS = 2_000;
const NAMES: ReadonlySet<string> = new Set([...PEOPLE, ...STALLS]);

/** A value in which the names of people and stalls are those of one scenario: no scenario sees the states of another. */
const renamed = (value: unknown, prefix: string): unknown => {
  if (typeof value === 'string') return NAMES.has(value) ? `${prefix}-${value}` : value;
  if (Array.isArray(value)) return value.map((each) => renamed(each, prefix));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, renamed(each, prefix)]));
};

const refusalIn = ({ code, status, error, message }: Refused): unknown => ({
  code,
  status,
  retryable: error.retryable,
  path: error.path,
  attempts: error.attempts,
  dead: error.dead,
  message: withoutNumbers(message),
});

const actionIn = ({ tally }: World, { module, action, agent }: ContractCall, prefix: string): AnyCall => {
  const called = module === 'purse' ? purse : market;
  const actions =
    agent === undefined ? tally.module(called) : tally.agent(called, renamed(agent, prefix) as string);
  return (actions as unknown as Record<string, AnyCall>)[action] as AnyCall;
};

const optionsOf = ({ now }: World, { priority, deadlineMs, key }: ContractCall, prefix: string) => ({
  ...(key === undefined ? {} : { key: `${prefix}-${key}` }),
  ...(priority === undefined ? {} : { priority: priority as 'urgent' }),
  ...(deadlineMs === undefined ? {} : { deadline: new Date(now() + deadlineMs) }),
});

const called = async (world: World, call: ContractCall, prefix: string): Promise<unknown> => {
  const said = await actionIn(world, call, prefix).try(
    renamed(call.input, prefix),
    optionsOf(world, call, prefix),
  );
  return said._tag === 'Right' ? { output: said.right } : refusalIn(said.left);
};

const sent = (world: World, call: ContractCall, prefix: string): Promise<unknown> =>
  actionIn(world, call, prefix)
    .send(renamed(call.input, prefix), optionsOf(world, call, prefix))
    .then(() => 'stored', refusalIn);

const whenOf = ({ now }: World, when: ContractWhen) =>
  'atMs' in when ? { at: new Date(now() + when.atMs) } : when;

/** Whether a command is sent within its step. */
const isSoon = (when: ContractWhen): boolean => 'atMs' in when || ('in' in when && when.in === '1s');

const scheduled = async (
  world: World,
  { call, when }: Extract<ContractStep, { do: 'schedule' }>,
  prefix: string,
): Promise<unknown> => {
  try {
    const action = actionIn(world, call, prefix);
    const made = await action.schedule(
      renamed(call.input, prefix),
      whenOf(world, when),
      optionsOf(world, call, prefix),
    );
    const { id, created, next, at, ...rest } = made;
    if (!isSoon(when) && call.key === undefined) await world.cancel(id);
    return { ...rest, isOnce: at !== null, isLater: Date.parse(next) > Date.parse(created) };
  } catch (thrown) {
    return refusalIn(thrown as Refused);
  }
};

/** Whether a step sends a command later. */
const fires = (step: ContractStep, result: unknown): boolean =>
  step.do === 'schedule' && isSoon(step.when) && 'isOnce' in (result as object);

const begun = (world: World, step: ContractStep, prefix: string): Promise<unknown> => {
  if (step.do === 'call') return called(world, step.call, prefix);
  if (step.do === 'send') return sent(world, step.call, prefix);
  if (step.do === 'schedule') return scheduled(world, step, prefix);
  return Promise.all(step.calls.map((call) => called(world, call, prefix)));
};

/** Takes a world through a scenario, step by step. `dead`: so many dead letters are expected. */
export const runScenario = async (
  world: World,
  steps: readonly ContractStep[],
  prefix: string,
  deadCount = 0,
): Promise<ScenarioOutcome> => {
  const results: unknown[] = [];
  let commands = 0;
  for (const step of steps) {
    const work = begun(world, step, prefix);
    await world.pass(STEP_MS);
    const result = await work;
    results.push(result);
    const records = await world.settled(commands + (fires(step, result) ? 1 : 0));
    commands = records.filter(({ subject }) => subject.startsWith('cmd.')).length;
  }
  const { records, pathOf } = comparable(await world.settled(commands));
  const dead = (await world.dead(deadCount)).map(({ command, attempts, error }) => ({
    command: pathOf(command),
    attempts,
    error: { ...error, message: withoutNumbers(error.message) },
  }));
  return { results, records, dead: dead.sort((a, b) => (a.command < b.command ? -1 : 1)) };
};

/** The states of all agents that a scenario can name. */
export const statesOf = async (
  { tally }: World,
  prefix: string,
): Promise<Readonly<Record<string, unknown>>> => {
  const states: Record<string, unknown> = {};
  const read = async (name: string, module: typeof purse | typeof market): Promise<void> => {
    const found = await tally.state(module, `${prefix}-${name}`);
    if (found !== undefined) states[name] = { state: found.state, schema: found.schema };
  };
  for (const name of PEOPLE) await read(name, purse);
  for (const name of STALLS) await read(name, market);
  return states;
};
