import type { Command } from 'commander';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { requestState } from '../../link/request-state.js';
import type { AgentState, ListedAgent, ModuleAgents } from '../../store/snapshots/index.js';
import { whenAtLeast } from '../../store/lmdb/reached.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { describeState, showState, unknownAgent, withAgents } from '../jobs/with-agents.js';
import { withConnection, withTargetOptions } from '../connect/connect.js';
import { isNamedByAddress } from '../connect/data-dir.js';
import { Masks } from '../../schemas/masks.js';
import { NO_MARKS } from '../../schemas/sensitive.js';
import type { ExitCode } from '../output/exit.js';
import { type EraseOptions, eraseAgent } from '../jobs/erase-agent.js';
import { type FoldOptions, stateCommand, withPast } from '../jobs/with-past.js';
import { type ReadAtLeastOptions, withAtLeastOptions } from '../options/at-least-option.js';
import { equation, name, positive, waiting, withDefault } from '../options/option-values.js';
import { print, printJson } from '../output/output.js';
import { fittedTable } from '../text/fitted-table.js';
import { pageLine } from '../text/page-text.js';
import { done, runCommand, withExamples } from '../output/run-command.js';
import type { TargetOptions } from '../../link/target.js';

interface Options extends TargetOptions {
  readonly json?: boolean;
}

interface GetOptions extends Options, FoldOptions, ReadAtLeastOptions {
  readonly at?: number | Date;
}

interface AgentListOptions extends Options, ReadAtLeastOptions {
  readonly where?: readonly string[];
  readonly prefix?: string;
  readonly after?: string;
  readonly limit: number;
}

const showNow = (
  module: string,
  agent: string,
  found: AgentState,
  masks: Masks,
  json: boolean | undefined,
): ExitCode => {
  const { seq, time, schema } = found;
  const state = masks.state(module, found.state);
  if (json === true) printJson({ module, agent, seq, time, schema, state });
  else print(describeState(module, agent, { ...found, state }));
  return done;
};

/** The agents of a module, once their states have all results up to `--at-least`. */
const withAgentsAtLeast = (
  module: string,
  options: Options & ReadAtLeastOptions,
  use: (agents: ModuleAgents, masks: Masks) => E.Either<Fault, ExitCode>,
): TE.TaskEither<Fault, ExitCode> =>
  withAgents(module, options, (agents, masks) =>
    pipe(
      whenAtLeast(agents, options.atLeast, { timeoutMs: options.timeout }),
      TE.chainEitherK(() => use(agents, masks)),
    ),
  );

/** The state as it is now, from the snapshots alone. */
const getHere = (module: string, agent: string, options: GetOptions): TE.TaskEither<Fault, ExitCode> =>
  withAgentsAtLeast(module, options, (agents, masks) => {
    const found = agents.get(agent);
    return found === undefined
      ? unknownAgent(module, agent)
      : E.right(showNow(module, agent, found, masks, options.json));
  });

/** The same from a broker that may be on another machine: it is asked, and needs the grant `read` alone. */
const getThere = (module: string, agent: string, options: GetOptions): TE.TaskEither<Fault, ExitCode> =>
  withConnection(options, (nc) =>
    pipe(
      requestState(
        nc,
        { module, agent, ...(options.atLeast === undefined ? {} : { atLeast: options.atLeast }) },
        options.timeout,
      ),
      TE.map((found) => {
        const hidden = options.reveal === true ? [] : (found.sensitive ?? []);
        const masks = new Masks({ [module]: { ...NO_MARKS, state: hidden } });
        return showNow(module, agent, found, masks, options.json);
      }),
    ),
  );

const getNow = (module: string, agent: string, options: GetOptions): TE.TaskEither<Fault, ExitCode> =>
  (isNamedByAddress(options) ? getThere : getHere)(module, agent, options);

/** The state as it was, from the snapshots and the log. */
const getPast = (
  module: string,
  agent: string,
  at: number | Date,
  options: GetOptions,
): TE.TaskEither<Fault, ExitCode> =>
  withPast(module, agent, options, (query, masks) => showState(query, at, options.json === true, masks));

const get = (module: string, agent: string, options: GetOptions): TE.TaskEither<Fault, ExitCode> => {
  const { at, atLeast, module: dir } = options;
  if (at === undefined) {
    return dir === undefined
      ? getNow(module, agent, options)
      : TE.left(fault('USAGE', '--module names the code with which --at folds the past; give --at too'));
  }
  return atLeast === undefined
    ? getPast(module, agent, at, options)
    : TE.left(fault('USAGE', '--at is for the past, --at-least for the future; give one of them'));
};

export const agentTable = (agents: readonly ListedAgent[], columns?: number): string =>
  fittedTable(
    ['AGENT', 'SEQ', 'TIME'],
    agents.map(({ agent, seq, time }) => [agent, `${seq}`, time]),
    { keys: ['AGENT'] },
    columns,
  );

/** `status=open`, checked when it was parsed. */
const fieldAndValue = (text: string): readonly [string, string] => {
  const at = text.indexOf('=');
  return [text.slice(0, at), text.slice(at + 1)];
};

const foundLine = (count: number, where: readonly string[], next: string | null): string =>
  `${count} with ${where.join(' and ')}${next === null ? '' : `; the next: --after ${next}`}`;

const list = (
  module: string,
  { prefix, after, limit, json, where, ...options }: AgentListOptions,
): TE.TaskEither<Fault, ExitCode> =>
  withAgentsAtLeast(module, options, (agents) => {
    const page = agents.list({
      limit,
      ...(prefix === undefined ? {} : { prefix }),
      ...(after === undefined ? {} : { after }),
      ...(where === undefined ? {} : { where: Object.fromEntries(where.map(fieldAndValue)) }),
    });
    if (where !== undefined) {
      const { agents: found, next } = page;
      if (json === true) printJson(page);
      else print(`${agentTable(found)}\n\n${foundLine(found.length, where, next)}`);
      return E.right(done);
    }
    const count = agents.count();
    if (json === true) {
      printJson({ ...page, count });
      return E.right(done);
    }
    const line = pageLine({ shown: page.agents.length, count, what: 'agents', next: page.next });
    print(`${agentTable(page.agents)}\n\n${line}`);
    return E.right(done);
  });

export const addAgent = (program: Command): void => {
  const group = program.command('agent').description('look at the states of agents, and erase agents');
  withExamples(group, ['tallystick agent get accounts alice', 'tallystick agent list accounts']);

  const one = withAtLeastOptions(
    stateCommand(
      group,
      'get',
      'print the state of one agent, and the sequence of the record that last changed it',
    ),
    'the states have all results',
  ).action((module: string, agent: string | undefined, options: GetOptions) =>
    runCommand(get(module, agent ?? '', options)),
  );
  withExamples(one, [
    'tallystick agent get accounts alice',
    'tallystick agent get accounts alice --json | jq .state.balance',
    'tallystick agent get accounts alice --at 1200',
    'tallystick agent get accounts alice --at 2026-11-21T10:00:00Z --json',
    'tallystick agent get accounts alice --at 2h',
    'tallystick agent get accounts alice --at-least 1200 --timeout 2s',
  ]);

  const erase = withTargetOptions(
    group
      .command('erase')
      .argument('<module>', 'whose agent', name('MODULE'))
      .argument('<id>', 'the agent', name('ID'))
      .description('destroy the key of an agent: nobody can read its encrypted values again'),
  )
    .option('--yes', 'do not ask')
    .addOption(
      withDefault('--timeout <duration>', 'how long to wait for the broker', waiting('--timeout'), '2m'),
    )
    .action((module: string, id: string, options: EraseOptions) =>
      runCommand(eraseAgent(module, id, options)),
    );
  withExamples(erase, [
    'tallystick agent erase patients p-17',
    'tallystick agent erase patients p-17 --yes --json',
  ]);

  const all = withAtLeastOptions(
    withTargetOptions(
      group
        .command('list')
        .argument('<module>', 'whose agents', name('MODULE'))
        .description('list agents by name, one page at a time, and count them all'),
    ),
    'the states have all results',
  )
    .option('--prefix <text>', 'only names that begin with this text', name('--prefix'))
    .option('--after <id>', 'the last name of the previous page', name('--after'))
    .option('--limit <count>', 'names on a page', positive('--limit'), 100)
    .option(
      '--where <field=value>',
      'only agents whose state has this value; the manifest declares the field in `index`; repeatable',
      equation('--where'),
    )
    .action((module: string, options: AgentListOptions) => runCommand(list(module, options)));
  withExamples(all, [
    'tallystick agent list accounts',
    'tallystick agent list accounts --prefix customer- --limit 1000',
    "tallystick agent list accounts --json | jq -r '.agents[].agent'",
    'tallystick agent list orders --where order.status=refused',
    'tallystick agent list orders --where order.status=refused --at-least 1200',
  ]);
};
