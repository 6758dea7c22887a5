import { resolve } from 'node:path';
import type { Command } from 'commander';
import { isLeft, left, right } from 'fp-ts/lib/Either.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { DEFAULT_DATA_DIR } from '../../../schemas/config.js';
import { brokerDataDir } from '../../../link/broker-data-dir.js';
import { readModule } from '../../../broker/supervisor/manifest-file.js';
import { diffModule } from '../../../replay/diff/diff-log.js';
import type { DiffReport, OutcomeDifference } from '../../../replay/diff/report.js';
import { type Fault, fault } from '../../../schemas/errors.js';
import { withConnection, withTargetOptions } from '../../connect/connect.js';
import { differenceLines, reportText } from '../../text/diff-text.js';
import { askMasks, type RevealOptions, withReveal } from '../../connect/known-masks.js';
import { configFromFile, configOfNow } from '../../jobs/replay-config.js';
import { maskedDifference } from '../../jobs/masked-steps.js';
import { EXIT, type ExitCode } from '../../output/exit.js';
import { name, logPlace, positive } from '../../options/option-values.js';
import { print, printJson, verbatim } from '../../output/output.js';
import { type ProgressBar, progressBar } from '../../text/progress-bar.js';
import { done, runCommand, withExamples } from '../../output/run-command.js';
import { terminal } from '../../output/terminal.js';
import { loadableHere } from '../../jobs/module-source.js';
import type { TargetOptions } from '../../../link/target.js';

interface Options extends TargetOptions, RevealOptions {
  readonly json?: boolean;
  readonly module: string;
  readonly agent?: string;
  readonly from?: number | Date;
  readonly to?: number | Date;
  readonly cascade?: boolean;
  readonly config?: string;
  readonly limit?: number;
}

/** How many differences a person sees. */
const SHOWN = 20;

const show = (
  { same, notDecided, ...report }: DiffReport,
  differences: readonly OutcomeDifference[],
  json: boolean,
): ExitCode => {
  const found = report.commands - same - notDecided;
  const more = found - differences.length;
  if (json) printJson({ ...report, same, notDecided, differences, more });
  else {
    print(reportText({ ...report, same, notDecided }));
    for (const difference of differences)
      print(verbatim(`\n${differenceLines(difference, terminal().colour)}`));
    if (more > 0) print(`\n${more} more are not shown; --limit shows more`);
  }
  return found === 0 ? done : EXIT.no;
};

const diff =
  (module: string | undefined, options: Options): TaskEither<Fault, ExitCode> =>
  async () => {
    const { module: dir, agent, from, to, cascade, json, config: file } = options;
    const limit = options.limit ?? (json === true ? Number.POSITIVE_INFINITY : SHOWN);
    const found = await loadableHere(dir, { secret: resolve(options.data ?? DEFAULT_DATA_DIR) })();
    if (isLeft(found)) return found;
    const version = readModule(resolve(found.right.dir));
    if (isLeft(version)) return version;
    const { manifest } = version.right;
    if (module !== undefined && module !== manifest.name)
      return left(fault('USAGE', `${dir} has the module ${manifest.name}, not ${module}`));
    let bar: ProgressBar | undefined;
    const differences: OutcomeDifference[] = [];
    return withConnection(options, (nc) => async () => {
      const asked = await askMasks(nc, options, `replay diff ${manifest.name}`)();
      if (isLeft(asked)) return asked;
      const masks = asked.right.with(manifest);
      const dataDir = await brokerDataDir(nc)();
      const config = await (file === undefined
        ? configOfNow(nc, manifest)
        : TE.fromEither(configFromFile(file)))();
      if (isLeft(config)) return config;
      try {
        const report = await diffModule({
          ...{ nc, version: version.right, agent, from, to, cascade, config: config.right },
          dataDir: isLeft(dataDir) ? undefined : dataDir.right,
          onDifference: (difference) => {
            if (differences.length < limit)
              differences.push(maskedDifference(masks, manifest.name, difference));
          },
          onProgress: (seq, lastSeq) => {
            bar ??= progressBar('records', lastSeq);
            bar.update(seq);
          },
        })();
        bar?.clear();
        return isLeft(report) ? report : right(show(report.right, differences, json === true));
      } finally {
        bar?.[Symbol.dispose]();
      }
    })();
  };

/** `replay diff`, a command of the group `replay`. */
export const addDiff = (group: Command): void => {
  const command = withReveal(
    withTargetOptions(
      group
        .command('diff')
        .argument(
          '[module]',
          'the module whose commands to handle (default: the module in --module)',
          name('MODULE'),
        )
        .description(
          'handle recorded commands with another version of their module, and compare the outcomes',
        )
        .requiredOption(
          '--module <path>',
          'source file, directory or package of the version to handle them with',
        )
        .option('--agent <id>', 'only the commands of one agent', name('--agent'))
        .option('--from <place>', 'first command: a sequence, a time, or a duration ago', logPlace('--from'))
        .option('--to <place>', 'last command: a sequence, a time, or a duration ago', logPlace('--to'))
        .option(
          '--config <file>',
          'configuration that handlers see, a JSON object (default: that of now, without its secrets)',
        )
        .option('--cascade', 'use the states that this version made, not the recorded ones')
        .option(
          '--limit <count>',
          `number of differences to show (default: ${SHOWN}, with --json all)`,
          positive('--limit'),
        ),
    ),
  ).action((module: string | undefined, options: Options) => runCommand(diff(module, options)));
  withExamples(command, [
    'tallystick replay diff --module ./accounts-next',
    'tallystick replay diff accounts --module ./accounts-next --from 168h',
    'tallystick replay diff --module ./accounts-next --agent alice --cascade',
    'tallystick replay diff --module ./accounts-next --json | jq .differences',
  ]);
};
