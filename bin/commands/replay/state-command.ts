import type { Command } from 'commander';
import { type Either, left, right } from 'fp-ts/lib/Either.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { condition } from '../../../replay/expression/expression.js';
import type { Masks } from '../../../schemas/masks.js';
import type { Json } from '../../../replay/expression/json-value.js';
import { parsePath, type Path } from '../../../replay/expression/path.js';
import { type Fault, fault } from '../../../schemas/errors.js';
import { showChanges, showFirst, showSteps } from '../../jobs/agent-past.js';
import { showState } from '../../jobs/with-agents.js';
import { type FoldOptions, type PastQuery, stateCommand, withPast } from '../../jobs/with-past.js';
import type { ExitCode } from '../../output/exit.js';
import { logPlace } from '../../options/option-values.js';
import { orUsage, runCommand, withExamples } from '../../output/run-command.js';

interface Bisect {
  readonly expression: string;
  readonly holds: Parameters<typeof showFirst>[0]['holds'];
}

interface Options extends FoldOptions {
  readonly json?: boolean;
  readonly at?: number | Date;
  readonly step?: boolean;
  readonly watch?: Path;
  readonly equals?: { readonly value: Json };
  readonly bisect?: Bisect;
  readonly from?: number | Date;
  readonly to?: number | Date;
}

const path = (text: string): Path => orUsage('--watch', parsePath(text));

const bisect = (expression: string): Bisect => ({
  expression,
  holds: orUsage('--bisect', condition(expression)),
});

const json = (text: string): { readonly value: Json } => {
  const parse = (): Either<Fault, { readonly value: Json }> => {
    try {
      return right({ value: JSON.parse(text) as Json });
    } catch (error) {
      const example = `write a text as '"text"'`;
      return left(fault('USAGE', `${text} is not JSON (${(error as Error).message}); ${example}`));
    }
  };
  return orUsage('--equals', parse());
};

/** The way to look at a state that the options ask for. USAGE if the options contradict each other. */
const problem = ({ at, step, watch, equals, bisect, from, to }: Options): Fault | undefined => {
  const ways = Object.entries({ at, step, watch, bisect }).filter(([, value]) => value !== undefined);
  if (ways.length > 1) {
    const given = ways.map(([option]) => `--${option}`).join(' and ');
    return fault('USAGE', `${given} exclude each other; give one of them`);
  }
  if (equals !== undefined && watch === undefined) {
    return fault('USAGE', '--equals needs --watch, which names the part of the state');
  }
  if ((from !== undefined || to !== undefined) && (ways.length === 0 || at !== undefined)) {
    return fault('USAGE', '--from and --to need --step, --watch or --bisect');
  }
  return undefined;
};

const show = (query: PastQuery, options: Options, masks: Masks): TE.TaskEither<Fault, ExitCode> => {
  const { at, step, watch, equals, bisect: first, from, to } = options;
  const asJson = options.json === true;
  const range = { ...query, from, to };
  if (step === true) return showSteps(range, asJson, masks);
  if (watch !== undefined) return showChanges({ ...range, path: watch, equals }, asJson, masks);
  if (first !== undefined) {
    return showFirst({ ...range, holds: first.holds }, first.expression, asJson, masks);
  }
  return showState(query, at, asJson, masks);
};

const state = (module: string, agent: string, options: Options): TE.TaskEither<Fault, ExitCode> => {
  const wrong = problem(options);
  if (wrong !== undefined) return TE.left(wrong);
  return withPast(module, agent, options, (query, masks) => show(query, options, masks));
};

/** `replay state`, a command of the group `replay`. */
export const addState = (group: Command): void => {
  const command = stateCommand(
    group,
    'state',
    'print the state of an agent, now or in the past, and its changes',
  )
    .option('--step', 'show each record that changed the state; on a terminal, press a key for each step')
    .option('--watch <path>', 'show each change of one part, such as balance or items[0].sku', path)
    .option('--equals <json>', 'with --watch: only the first change to this value', json)
    .option('--bisect <expression>', 'find the first record after which the condition holds', bisect)
    .option('--from <place>', 'first record: a sequence, a time, or a duration ago', logPlace('--from'))
    .option('--to <place>', 'last record: a sequence, a time, or a duration ago', logPlace('--to'))
    .action((module: string, agent: string | undefined, options: Options) =>
      runCommand(state(module, agent ?? '', options)),
    );
  withExamples(command, [
    'tallystick replay state accounts alice',
    'tallystick replay state accounts alice --at 2h --json | jq .state.balance',
    'tallystick replay state accounts alice --step --from 1200',
    'tallystick replay state accounts alice --watch balance --equals 0',
    "tallystick replay state accounts alice --bisect 'state.balance >= 7000' --json",
  ]);
};
