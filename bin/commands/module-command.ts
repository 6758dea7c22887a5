import { resolve } from 'node:path';
import type { Command } from 'commander';
import { type ModuleInfo, type ModuleStats, type ModuleStatus, OPS } from '../../schemas/operate.js';
import { withTargetOptions } from '../connect/connect.js';
import { modulesTable, statsTable } from '../text/module-table.js';
import { waiting, withDefault } from '../options/option-values.js';
import { type RemoveOptions, removeModule } from '../work/remove-module.js';
import { DEFAULT_TIMEOUT_MS, moreTime } from '../connect/slow-request.js';
import { run, withExamples } from '../output/run-command.js';
import { type ShowOptions, showReply } from '../text/show-reply.js';

interface Options extends ShowOptions {
  readonly withDependents?: boolean;
  readonly trial?: boolean;
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

/** Starting and draining a module may take a while, which the broker bounds; this is for a broker that hangs. */
const slow = (command: Command): Command =>
  withTargetOptions(command).addOption(
    withDefault('--timeout <duration>', 'how long to wait for the broker', waiting('--timeout'), '2m'),
  );

/** Tells the broker how long its answer is waited for, so that it says in time that it goes on. */
const askSlowly = (
  { timeout = DEFAULT_TIMEOUT_MS, ...options }: Options,
  subject: string,
  body: Readonly<Record<string, unknown>>,
): Promise<void> => run(showReply(moreTime(options, timeout), subject, { ...body, waitMs: timeout }, one));

export const addModule = (program: Command): void => {
  const group = program.command('module').description('the life cycle of modules');
  withExamples(group, [
    'tallystick module list',
    'tallystick module load ./my-module',
    'tallystick module reload accounts',
  ]);

  const list = withTargetOptions(group.command('list').description('all modules and their states')).action(
    (options: Options) =>
      run(
        showReply<{ modules: ModuleStatus[] }>(options, OPS.moduleList, {}, ({ modules }) =>
          modulesTable(modules),
        ),
      ),
  );
  withExamples(list, ['tallystick module list', 'tallystick module list --json']);

  const info = withTargetOptions(
    group.command('info <name>').description('state and manifest of one module'),
  ).action((name: string, options: Options) =>
    run(showReply<ModuleInfo>(options, OPS.moduleInfo, { name }, formatInfo)),
  );
  withExamples(info, ['tallystick module info accounts', 'tallystick module info accounts --json']);

  const load = slow(
    group.command('load <dir>').description('start the module in a directory, and wait until it is ready'),
  );
  // The broker has a working directory of its own.
  load.action((dir: string, options: Options) => askSlowly(options, OPS.moduleLoad, { dir: resolve(dir) }));
  withExamples(load, ['tallystick module load ./my-module']);

  const unload = slow(
    group.command('unload <name>').description('let a module finish what it handles, and stop it'),
  );
  unload.option(
    '--with-dependents',
    'first the modules that need it; without this they are a reason to refuse',
  );
  unload.action((name: string, options: Options) => {
    return askSlowly(options, OPS.moduleUnload, { name, withDependents: options.withDependents === true });
  });
  withExamples(unload, [
    'tallystick module unload orders',
    'tallystick module unload accounts --with-dependents',
  ]);

  const reload = slow(
    group
      .command('reload <name>')
      .description(
        'try the code that is there now; if it is good, stop the module and start it with that code',
      ),
  );
  reload.option('--no-trial', 'stop the running code without a trial of the new code');
  reload.action((name: string, options: Options) =>
    askSlowly(options, OPS.moduleReload, { name, untried: options.trial === false }),
  );
  withExamples(reload, ['tallystick module reload accounts', 'tallystick module reload accounts --no-trial']);

  const remove = slow(
    group
      .command('remove <name>')
      .description('forget a module; commands of it that wait are answered MODULE_UNKNOWN'),
  );
  remove
    .option('--unload', 'unload it first; without this a module that runs is not removed')
    .option('--dry-run', 'only say how many commands wait')
    .option('--yes', 'do not ask');
  remove.action((name: string, options: RemoveOptions) => run(removeModule(name, options)));
  withExamples(remove, [
    'tallystick module remove tickets --dry-run',
    'tallystick module remove tickets --unload',
    'tallystick module remove tickets --yes --json',
  ]);

  const stats = withTargetOptions(
    group.command('stats [name]').description('calls, errors and mean times by action'),
  );
  stats.action((name: string | undefined, options: Options) => {
    const body = name === undefined ? {} : { name };
    return run(
      showReply<{ modules: ModuleStats[] }>(options, OPS.moduleStats, body, ({ modules }) =>
        statsTable(modules),
      ),
    );
  });
  withExamples(stats, ['tallystick module stats', 'tallystick module stats accounts --json']);
};
