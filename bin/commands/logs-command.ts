import type { Command } from 'commander';
import { isLeft, right } from 'fp-ts/lib/Either.js';
import type * as TE from 'fp-ts/lib/TaskEither.js';
import type { Fault } from '../../schemas/errors.js';
import { LOG_LEVELS, type LogLevel, type LogLine } from '../../schemas/log-lines.js';
import { lineText } from '../../system/lines/broker-log.js';
import { withTargetOptions } from '../connect/connect.js';
import { LineReader } from '../jobs/line-reader.js';
import { agoOrTime, name, oneOf, positive, withDefault } from '../options/option-values.js';
import type { ExitCode } from '../output/exit.js';
import { printLine, printNote } from '../output/output.js';
import { done, runCommand, withExamples } from '../output/run-command.js';
import type { ShowOptions } from '../text/show-reply.js';

interface Options extends ShowOptions {
  readonly lines: number;
  readonly level?: LogLevel;
  readonly since?: Date;
  readonly follow?: boolean;
}

const logs = (module: string | undefined, options: Options): TE.TaskEither<Fault, ExitCode> => {
  const { lines, level, since, follow, json = false } = options;
  const filter = {
    ...(module === undefined ? {} : { module }),
    ...(level === undefined ? {} : { level }),
    ...(since === undefined ? {} : { since: since.toISOString() }),
  };
  const show = (line: LogLine): Promise<void> => printLine(json ? JSON.stringify(line) : lineText(line));
  const note = (text: string): void => printNote(`tallystick: ${text}`, json, { note: text });
  return async () => {
    const reader = new LineReader(options, filter, note);
    try {
      const newest = await reader.newest(lines);
      if (isLeft(newest)) return newest;
      for (const line of newest.right) await show(line);
      if (follow !== true) return right(done);
      for await (const line of reader.follow()) {
        if (isLeft(line)) return line;
        await show(line.right);
      }
      return right(done);
    } finally {
      await reader.close();
    }
  };
};

export const addLogs = (program: Command): void => {
  const command = withTargetOptions(
    program
      .command('logs')
      .description('print the newest lines that the broker and its modules have printed')
      .argument('[module]', 'only lines of this module, and lines of the broker about it', name('module')),
  )
    .addOption(withDefault('--lines <count>', 'so many of the newest lines', positive('--lines'), '50'))
    .addOption(oneOf('--level <level>', 'only lines of this level, or above it', LOG_LEVELS))
    .option(
      '--since <place>',
      'only from this time on: an RFC 3339 time, or a duration ago',
      agoOrTime('--since'),
    )
    .option(
      '--follow',
      'print further lines as they come, until you press Ctrl-C; it waits for a broker that starts again',
    )
    .action((module: string | undefined, options: Options) => runCommand(logs(module, options)));
  withExamples(command, [
    'tallystick logs',
    'tallystick logs accounts --follow',
    'tallystick logs --level warn --since 1h --lines 200 --json',
  ]);
};
