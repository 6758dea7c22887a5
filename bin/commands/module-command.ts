import type { Command } from 'commander';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type ModuleInfo, type ModuleStats, type ModuleStatus, OPS } from '../../schemas/operate.js';
import { withConnection, withTargetOptions } from '../connect/connect.js';
import { loadNamed, reloadNamed } from '../jobs/load-module-source.js';
import { askYes, canAsk } from '../output/ask-yes.js';
import type { ExitCode } from '../output/exit.js';
import { print, printJson } from '../output/output.js';
import { modulesTable, statsTable } from '../text/module-table.js';
import { waiting, withDefault } from '../options/option-values.js';
import { type RemoveOptions, removeModule } from '../jobs/remove-module.js';
import { DEFAULT_TIMEOUT_MS, moreTime } from '../connect/slow-request.js';
import { done, runCommand, withExamples } from '../output/run-command.js';
import { type ShowOptions, showReply } from '../text/show-reply.js';

interface Options extends ShowOptions {
  readonly withDependents?: boolean;
  readonly trial?: boolean;
  readonly grant?: boolean;
}

const formatInfo = ({ manifest, dir, output, ...status }: ModuleInfo): string => {
  const lines = [modulesTable([status]), '', manifest.description, dir, '', 'actions'];
  for (const [name, action] of Object.entries(manifest.actions)) {
    const address = `${manifest.name}.${name}${action.agent === 'none' ? '' : ' (an agent)'}`;
    lines.push(`  ${address}${action.description === undefined ? '' : `: ${action.description}`}`);
  }
  lines.push('events', ...Object.keys(manifest.events).map((name) => `  ${manifest.name}.${name}`));
  const needs = Object.entries(manifest.dependencies ?? {}).map(
    ([name, actions]) => `  ${name}: ${actions.join(', ')}`,
  );
  const said =
    output.length === 0 ? [] : ['last lines of the process that ended', ...output.map((line) => `  ${line}`)];
  return [...lines, ...(needs.length === 0 ? [] : ['calls', ...needs]), ...said].join('\n');
};

const one = (status: ModuleStatus): string => modulesTable([status]);

/** The broker limits how long a start and a drain may take. This limit is for a broker that hangs. */
const slow = (command: Command): Command =>
  withTargetOptions(command).addOption(
    withDefault('--timeout <duration>', 'how long to wait for the broker', waiting('--timeout'), '2m'),
  );

/** Tells the broker how long this command waits, so that the broker can reply in time that the work continues. */
const askSlowly = (
  { timeout = DEFAULT_TIMEOUT_MS, ...options }: Options,
  subject: string,
  body: Readonly<Record<string, unknown>>,
): Promise<void> =>
  runCommand(showReply(moreTime(options, timeout), subject, { ...body, waitMs: timeout }, one));

/** How a module is loaded or reloaded. On a terminal, a person is asked what its cage is to have. */
const loadingOf = ({ timeout = DEFAULT_TIMEOUT_MS, grant = false, json = false }: Options) => ({
  waitMs: timeout,
  grant,
  ...(json || !canAsk() ? {} : { ask: (refusal: string) => askYes(`${refusal}\nGrant that?`) }),
});

const GRANT = [
  '--grant',
  'give its cage what its manifest asks for (default: ask on a terminal, or refuse)',
] as const;

const shown =
  ({ json = false }: Options) =>
  (status: ModuleStatus): ExitCode => {
    if (json) printJson(status);
    else print(one(status));
    return done;
  };

export const addModule = (program: Command): void => {
  const group = program.command('module').description('load, stop and inspect modules');
  withExamples(group, [
    'tallystick module list',
    'tallystick module load ./my-module',
    'tallystick module reload accounts',
  ]);

  const list = withTargetOptions(
    group.command('list').description('list all modules and their states'),
  ).action((options: Options) =>
    runCommand(
      showReply<{ modules: ModuleStatus[] }>(options, OPS.moduleList, {}, ({ modules }) =>
        modulesTable(modules),
      ),
    ),
  );
  withExamples(list, ['tallystick module list', 'tallystick module list --json']);

  const info = withTargetOptions(
    group
      .command('info')
      .argument('<name>', 'the module')
      .description('print the state and the manifest of one module'),
  ).action((name: string, options: Options) =>
    runCommand(showReply<ModuleInfo>(options, OPS.moduleInfo, { name }, formatInfo)),
  );
  withExamples(info, ['tallystick module info accounts', 'tallystick module info accounts --json']);

  const load = slow(
    group
      .command('load')
      .argument('<path>', 'a source file, a directory with a module, or the name of an installed package')

      .description('start the module of a source file, a directory or a package, and wait until it is ready'),
  );
  load.option(...GRANT);
  load.action((path: string, options: Options) =>
    runCommand(
      withConnection(options, (nc) => pipe(loadNamed(nc, path, loadingOf(options)), TE.map(shown(options)))),
    ),
  );
  withExamples(load, [
    'tallystick module load ./tickets.ts',
    'tallystick module load ./my-module',
    'tallystick module load @example/my-module',
    'tallystick module load ./mailer --grant',
  ]);

  const unload = slow(
    group
      .command('unload')
      .argument('<name>', 'the module')
      .description('let a module finish what it handles, and stop it'),
  );
  unload.option('--with-dependents', 'first unload the modules that need it (default: refuse)');
  unload.action((name: string, options: Options) => {
    return askSlowly(options, OPS.moduleUnload, { name, withDependents: options.withDependents === true });
  });
  withExamples(unload, [
    'tallystick module unload orders',
    'tallystick module unload accounts --with-dependents',
  ]);

  const reload = slow(
    group
      .command('reload')
      .argument('<name>', 'the module')
      .argument('[path]', 'its source now (default: where it was loaded from)')

      .description("try the module's new code; if it is good, restart the module with it"),
  );
  reload.option(...GRANT).option('--no-trial', 'restart the module without a trial of the new code');
  reload.action((name: string, path: string | undefined, options: Options) =>
    runCommand(
      withConnection(options, (nc) => {
        const how = { ...loadingOf(options), untried: options.trial === false };
        return pipe(reloadNamed(nc, name, path, how), TE.map(shown(options)));
      }),
    ),
  );
  withExamples(reload, [
    'tallystick module reload accounts',
    'tallystick module reload tickets ./tickets-2.ts',
    'tallystick module reload accounts --no-trial',
  ]);

  const remove = slow(
    group
      .command('remove')
      .argument('<name>', 'the module')

      .description('forget a module; its waiting commands get the result MODULE_UNKNOWN'),
  );
  remove
    .option('--unload', 'unload it first (default: refuse if it runs)')
    .option('--dry-run', 'only print how many commands wait')
    .option('--yes', 'do not ask');
  remove.action((name: string, options: RemoveOptions) => runCommand(removeModule(name, options)));
  withExamples(remove, [
    'tallystick module remove tickets --dry-run',
    'tallystick module remove tickets --unload',
    'tallystick module remove tickets --yes --json',
  ]);

  const stats = withTargetOptions(
    group
      .command('stats')
      .argument('[name]', 'the module (default: all modules)')
      .description(
        'print for each action its handled commands, and its calls with their errors and mean times',
      ),
  );
  stats.action((name: string | undefined, options: Options) => {
    const body = name === undefined ? {} : { name };
    return runCommand(
      showReply<{ modules: ModuleStats[] }>(options, OPS.moduleStats, body, ({ modules }) =>
        statsTable(modules),
      ),
    );
  });
  withExamples(stats, ['tallystick module stats', 'tallystick module stats accounts --json']);
};
