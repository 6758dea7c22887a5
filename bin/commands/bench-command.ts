import type { Command } from 'commander';
import { DURABILITIES, type Durability } from '../../schemas/log.js';
import { benchInstallation } from '../jobs/run-bench.js';
import { oneOf } from '../options/option-values.js';
import { runCommand, withExamples } from '../output/run-command.js';

interface Options {
  readonly durability: Durability;
  readonly quick?: boolean;
  readonly chart?: string;
  readonly json?: boolean;
}

export const addBench = (program: Command): void => {
  const command = program
    .command('bench')
    .description(
      'measure this installation on this machine in less than a minute: calls, events, look-ups, a steady load, ' +
        'and whether they meet ADR-0017; starts a broker with temporary files and removes both',
    )
    .addOption(oneOf('--durability <level>', 'durability of the broker', DURABILITIES).default('fsync'))
    .option('--quick', 'a tenth of the load: rough figures in some seconds')
    .option('--chart <file>', 'draw by how much each number is met, as SVG')
    .option('--json', 'print one JSON object')
    .action(({ durability, quick = false, chart, json = false }: Options) =>
      runCommand(benchInstallation({ durability, quick, chart, json })),
    );
  withExamples(command, [
    'tallystick bench',
    'tallystick bench --durability os --chart bench.svg',
    'tallystick bench --quick --json',
  ]);
};
