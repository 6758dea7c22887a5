import type { Command } from 'commander';
import { left, right } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type { NatsConnection } from 'nats';
import { EXPORT_FORMATS, type ExportFormatName, exportLog } from '../../../transfer/export/export-log.js';
import { writeFileOfLines, writeLines } from '../../../transfer/export/write-lines.js';
import type { Fault } from '../../../schemas/errors.js';
import { withConnection, withTargetOptions } from '../../connect/connect.js';
import type { ExitCode } from '../../output/exit.js';
import { print, printJson } from '../../output/output.js';
import { oneOf } from '../../options/option-values.js';
import { type ProgressBar, progressBar } from '../../text/progress-bar.js';
import { done, runCommand, withExamples } from '../../output/run-command.js';
import type { TargetOptions } from '../../../link/target.js';
import { type SelectionOptions, selectionOf, withSelectionOptions } from './selection-options.js';
import { faultThrown } from '../../output/thrown-fault.js';

interface Options extends TargetOptions, SelectionOptions {
  readonly json?: boolean;
  readonly format: ExportFormatName;
  readonly out?: string;
}

const FORMATS = Object.keys(EXPORT_FORMATS) as readonly ExportFormatName[];

/** Writes the lines and returns the count of records. A bar on the terminal shows the progress. */
const exported = (
  nc: NatsConnection,
  options: Options,
): { readonly lines: AsyncIterable<string>; readonly records: () => number } & Disposable => {
  let bar: ProgressBar | undefined;
  let records = 0;
  const onProgress = (seq: number, toSeq: number): void => {
    records += 1;
    // Lines on the same terminal show the progress already.
    if (options.out === undefined && process.stdout.isTTY) return;
    bar ??= progressBar('records', toSeq);
    bar.update(seq);
  };
  return {
    lines: exportLog(nc, { format: options.format, query: selectionOf(options), onProgress }),
    records: () => records,
    [Symbol.dispose]: () => bar?.[Symbol.dispose](),
  };
};

const showExport = (options: Options): TaskEither<Fault, ExitCode> =>
  withConnection(options, (nc) => async () => {
    const { out, json } = options;
    const started = process.hrtime.bigint();
    try {
      using source = exported(nc, options);
      if (out === undefined) {
        await writeLines(source.lines, process.stdout);
        return right(done);
      }
      const { bytes } = await writeFileOfLines(source.lines, out);
      const seconds = Number(process.hrtime.bigint() - started) / 1e9;
      const records = source.records();
      if (json === true) printJson({ file: out, format: options.format, records, bytes, seconds });
      else print(`${records} records are in ${out}: ${bytes} bytes in ${seconds.toFixed(1)} s`);
      return right(done);
    } catch (thrown) {
      return left(faultThrown(thrown));
    }
  });

/** `replay export`, a command of the group `replay`. */
export const addExport = (group: Command): void => {
  const command = withTargetOptions(
    withSelectionOptions(
      group
        .command('export')
        .description('write the log, or a part of it, to a file or to standard output')
        .addOption(
          oneOf(
            '--format <format>',
            'ndjson and cloudevents (CloudEvents 1.0, one JSON object on a line) keep everything; csv is for spreadsheets',
            FORMATS,
          ).default('ndjson'),
        )
        .option('--out <file>', 'file to write, as a whole or not at all; can be a pipe or a device'),
    ),
  ).action((options: Options) => runCommand(showExport(options)));
  withExamples(command, [
    'tallystick replay export --out log.ndjson',
    'tallystick replay export --format cloudevents --module accounts --from 2h | gzip > accounts.ndjson.gz',
    'tallystick replay export --format csv --agent alice --out alice.csv',
    'tallystick replay export --kind evt | jq -c .data',
  ]);
};
