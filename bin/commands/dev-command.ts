import type { Command } from 'commander';
import { DEFAULT_DATA_DIR, DEFAULT_NATS_PORT } from '../../schemas/config.js';
import { DURABILITIES } from '../../schemas/log.js';
import { type DevOptions, runDev } from '../dev/run-dev.js';
import type { DevEvent } from '../dev/dev-event.js';
import { guestOption } from '../options/guest-option.js';
import { oneOf, repeated } from '../options/option-values.js';
import { print, printJson, verbatim } from '../output/output.js';
import { whenUnwritten } from '../output/output-end.js';
import { runCommand, withExamples } from '../output/run-command.js';
import { terminal } from '../output/terminal.js';
import { asTyped } from '../output/typed-program.js';
import { devText } from '../dev/dev-text.js';

interface Options extends DevOptions {
  readonly quiet?: boolean;
  readonly json?: boolean;
}

/** What `--quiet` leaves out: what happens as it should. */
const isQuiet = (event: DevEvent): boolean =>
  event.event === 'broker' || (event.event === 'call' && event.error === undefined);

/** The text is not ours: a payload, or the output of a module. */
const isOfModule = ({ event }: DevEvent): boolean => event === 'call' || event === 'output';

const teller = ({ json = false, quiet = false }: Options): ((event: DevEvent) => void) => {
  const style = terminal();
  return (event) => {
    if (quiet && isQuiet(event)) return;
    if (json) printJson(event);
    else print(verbatim(isOfModule(event) ? devText(event, style) : asTyped(devText(event, style))));
  };
};

export const addDev = (program: Command): void => {
  const command = program
    .command('dev')
    .argument(
      '[source...]',
      'files of modules, folders of such files, or packages (default: those of this folder)',
    )
    .description(
      'run a broker with your modules: build them, reload them at each save, print each call; Ctrl-C ends all',
    )
    .option('--data <dir>', 'data directory; states and the log stay in it', `./${DEFAULT_DATA_DIR}`)
    .option(
      '--nats-port <port>',
      `port of the server, 0 for a free one (default: ${DEFAULT_NATS_PORT}, or a free one if it is taken)`,
    )
    .addOption(
      oneOf(
        '--durability <level>',
        'what an acknowledged record survives: fsync (loss of power) or os (death of any process)',
        DURABILITIES,
      ).default('os'),
    )
    .option('--shipped', 'load the modules that ship with the package too', false)
    .option('--no-types', 'do not check types in the background')
    .option(
      '--inspect <module[=port]>',
      'let a debugger of Node attach to this module, on this machine only (default port: 9229)',
      repeated,
    )
    .addOption(guestOption())
    .option('--reveal', 'show sensitive values too')
    .option('--quiet', 'print no calls that succeed, and no output of the broker')
    .option('--json', 'print one JSON object for each event')
    .addHelpText(
      'after',
      [
        '',
        'Sources:',
        '  A source is a file of a module, a folder of such files, or a package. Without a source, dev takes those of',
        '  "tallystick": { "modules": ["./src/modules"] } in package.json, else ./modules. In a folder, each .ts or .js',
        '  file is a module, except tests (*.test.ts, *.spec.ts) and declarations (*.d.ts).',
      ].join('\n'),
    )
    .action((sources: readonly string[], options: Options) => {
      // If the reader of the output ends, the broker still serves others.
      whenUnwritten('continue');
      return runCommand(runDev(sources, options, teller(options)));
    });
  withExamples(command, [
    'tallystick dev',
    'tallystick dev ./tickets.ts ./orders.ts',
    'tallystick dev ./src/modules --data ./dev-data --nats-port 0',
    'tallystick dev --inspect tickets',
    'tallystick dev --quiet',
    'tallystick dev --json | jq \'select(.event == "call")\'',
  ]);
};
