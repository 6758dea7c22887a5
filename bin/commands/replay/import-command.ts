import { resolve } from 'node:path';
import type { Command } from 'commander';
import { DEFAULT_DATA_DIR } from '../../../schemas/config.js';
import { importLog } from '../../jobs/import-file.js';
import { logBytes } from '../../options/option-values.js';
import { runCommand, withExamples } from '../../output/run-command.js';

interface Options {
  readonly data: string;
  readonly partial?: boolean;
  readonly maxBytes?: number;
  readonly json?: boolean;
}

/** `replay import`, a command of the group `replay`. */
export const addImport = (group: Command): void => {
  const command = group
    .command('import')
    .argument('<file>', 'an export as ndjson or cloudevents; - for standard input')
    .description(
      'make an export the log of an empty broker, with the same sequences, times, headers and payloads',
    )
    .option(
      '--data <dir>',
      'data directory of the broker; it must have no running broker and no records',
      `./${DEFAULT_DATA_DIR}`,
    )
    .option('--partial', 'allow an export of a part of a log; the other records stay missing')
    .option('--max-bytes <size>', 'size limit of the log, as for start', logBytes('--max-bytes'))
    .option('--json', 'print JSON')
    .action((file: string, options: Options) =>
      runCommand(
        importLog({
          file,
          dataDir: resolve(options.data),
          partial: options.partial === true,
          maxBytes: options.maxBytes,
          json: options.json === true,
        }),
      ),
    );
  withExamples(command, [
    'tallystick replay import log.ndjson --data ./copy',
    'zcat log.ndjson.gz | tallystick replay import - --data ./copy --json',
    'tallystick replay import --partial conversation.ndjson --data ./look',
  ]);
};
