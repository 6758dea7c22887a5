import type { Command } from 'commander';
import { isLeft, left, right } from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type AgentState, type ListedAgent, ModuleAgents } from '../../broker/snapshots/index.js';
import { type Fault, fault, toFault } from '../../schemas/errors.js';
import { withTargetOptions } from '../connect.js';
import { findDataDir } from '../data-dir.js';
import type { ExitCode } from '../exit.js';
import { duration, name, positive } from '../option-values.js';
import { formatTable, print, printJson } from '../output.js';
import { done, run, withExamples } from '../run.js';
import type { TargetOptions } from '../target.js';

interface Options extends TargetOptions {
  readonly json?: boolean;
}

interface GetOptions extends Options {
  readonly atLeast?: number;
  readonly timeout: number;
}

interface ListOptions extends Options {
  readonly prefix?: string;
  readonly after?: string;
  readonly limit: number;
}

/** Opens the snapshots of a module, works, and closes them, whatever happens. */
const withAgents = <T>(
  module: string,
  options: TargetOptions,
  work: (agents: ModuleAgents) => TE.TaskEither<Fault, T>,
): TE.TaskEither<Fault, T> =>
  pipe(
    findDataDir(options),
    TE.chain((dataDir) => async () => {
      const agents = new ModuleAgents(module, dataDir);
      try {
        return await work(agents)();
      } catch (thrown) {
        return left(toFault(thrown));
      } finally {
        await agents.close();
      }
    }),
  );

/** The module itself has a state too, and no name as an agent. */
const who = (module: string, agent: string): string =>
  agent === '' ? `${module} itself` : `${agent} of ${module}`;

const showState = (module: string, agent: string, found: AgentState, json: boolean): void => {
  const { seq, time, schema, state } = found;
  if (json) printJson({ module, agent, seq, time, schema, state });
  else
    print(`${who(module, agent)}, at ${seq}, ${time}, schema ${schema}\n${JSON.stringify(state, null, 2)}`);
};

const get = (module: string, agent: string, options: GetOptions): TE.TaskEither<Fault, ExitCode> =>
  withAgents(module, options, (agents) => async () => {
    const { atLeast, timeout, json = false } = options;
    if (atLeast !== undefined) {
      const reached = await agents.atLeast(atLeast, { timeoutMs: timeout })();
      if (isLeft(reached)) return reached;
    }
    const found = agents.get(agent);
    if (found === undefined)
      return left(fault('AGENT_UNKNOWN', `nothing has happened to ${who(module, agent)}`));
    showState(module, agent, found, json);
    return right(done);
  });

const agentTable = (agents: readonly ListedAgent[]): string =>
  formatTable(
    ['AGENT', 'SEQ', 'TIME'],
    agents.map(({ agent, seq, time }) => [agent, `${seq}`, time]),
  );

const list = (
  module: string,
  { prefix, after, limit, json, ...options }: ListOptions,
): TE.TaskEither<Fault, ExitCode> =>
  withAgents(module, options, (agents) => async () => {
    const page = agents.list({
      limit,
      ...(prefix === undefined ? {} : { prefix }),
      ...(after === undefined ? {} : { after }),
    });
    const count = agents.count();
    if (json === true) {
      printJson({ ...page, count });
      return right(done);
    }
    const more = page.next === null ? '' : `; the next: --after ${page.next}`;
    print(`${agentTable(page.agents)}\n\n${page.agents.length} of ${count} agents${more}`);
    return right(done);
  });

export const addAgent = (program: Command): void => {
  const group = program
    .command('agent')
    .description('states of agents, read from the snapshots of a module; no broker is asked');
  withExamples(group, ['tallystick agent get accounts alice', 'tallystick agent list accounts']);

  const one = withTargetOptions(
    group
      .command('get')
      .argument('<module>', 'whose agent', name('MODULE'))
      .argument('[id]', 'the agent; without it, the state of the module itself', name('ID'))
      .description('the state of one agent, and the sequence of the record that changed it last'),
  )
    .option('--at-least <seq>', 'wait until the results up to there are in it', positive('--at-least'))
    .option('--timeout <duration>', 'with --at-least: how long to wait', duration('--timeout'), 5_000)
    .action((module: string, id: string | undefined, options: GetOptions) =>
      run(get(module, id ?? '', options)),
    );
  withExamples(one, [
    'tallystick agent get accounts alice',
    'tallystick agent get accounts alice --json | jq .state.balance',
    'tallystick agent get accounts alice --at-least 1200 --timeout 2s',
  ]);

  const all = withTargetOptions(
    group
      .command('list')
      .argument('<module>', 'whose agents', name('MODULE'))
      .description('agents by name, a page at a time, and how many there are in all'),
  )
    .option('--prefix <text>', 'what the names begin with', name('--prefix'))
    .option('--after <id>', 'the last name of the page before', name('--after'))
    .option('--limit <count>', 'names a page', positive('--limit'), 100)
    .action((module: string, options: ListOptions) => run(list(module, options)));
  withExamples(all, [
    'tallystick agent list accounts',
    'tallystick agent list accounts --prefix customer- --limit 1000',
    "tallystick agent list accounts --json | jq -r '.agents[].agent'",
  ]);
};
