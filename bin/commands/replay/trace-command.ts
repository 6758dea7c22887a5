import type { Command } from 'commander';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type { NatsConnection } from 'nats';
import { traceHtml } from '../../../replay/trace/html.js';
import { traceJson } from '../../../replay/trace/trace-json.js';
import { traceMermaid } from '../../../replay/trace/mermaid.js';
import { type ReadTrace, readTrace } from '../../../replay/trace/read-trace.js';
import { traceText } from '../../../replay/trace/text.js';
import { writeOut } from '../../../system/files/out-file.js';
import { type Fault, fault } from '../../../schemas/errors.js';
import { withConnection, withTargetOptions } from '../../connect/connect.js';
import type { Masks } from '../../../schemas/masks.js';
import { askMasks, type RevealOptions, withReveal } from '../../connect/known-masks.js';
import type { ExitCode } from '../../output/exit.js';
import { positive } from '../../options/option-values.js';
import { printLine, verbatim } from '../../output/output.js';
import { progressBar } from '../../text/progress-bar.js';
import { done, runCommand, withExamples } from '../../output/run-command.js';
import type { TargetOptions } from '../../../link/target.js';
import { terminal } from '../../output/terminal.js';
import { faultThrown } from '../../output/thrown-fault.js';

interface Options extends TargetOptions, RevealOptions {
  readonly json?: boolean;
  readonly mermaid?: boolean;
  readonly html?: boolean;
  readonly out?: string;
  readonly depth?: number;
  readonly limit?: number;
  readonly all?: boolean;
}

/** Rows for people. Programs get all rows. */
const ROWS = 2_000;
const BAR_AFTER_MS = 500;

const checkForm = ({ json, mermaid, html }: Options): Either<Fault, undefined> =>
  [json, mermaid, html].filter((form) => form === true).length > 1
    ? left(fault('USAGE', '--json, --mermaid and --html exclude each other; give one of them'))
    : right(undefined);

/** The trace in the form that the options ask for, line by line. */
const linesOf = (trace: ReadTrace, { json, mermaid, html, depth, limit, out }: Options): Iterable<string> => {
  const shown = { depth, ...(limit === undefined ? {} : { limit }) };
  if (json === true) return [traceJson(trace, shown)];
  if (mermaid === true) return [traceMermaid(trace, shown)];
  if (html === true) return [traceHtml(trace, shown)];
  return traceText(trace, { limit: ROWS, ...shown, ...(out === undefined ? terminal() : {}) });
};

// The text has our colours. The foreign text in it is printable already.
const write = async (
  lines: Iterable<string>,
  file: string | undefined,
  isText: boolean,
): Promise<Either<Fault, ExitCode>> => {
  if (file === undefined) {
    for (const line of lines) await printLine(isText ? verbatim(line) : line);
    return right(done);
  }
  await writeOut(file, `${[...lines].join('\n')}\n`);
  return right(done);
};

const read = async (nc: NatsConnection, seq: number, all: boolean, masks: Masks): Promise<ReadTrace> => {
  const began = performance.now();
  let bar: ReturnType<typeof progressBar> | undefined;
  const onProgress = (at: number, end: number): void => {
    if (performance.now() - began < BAR_AFTER_MS) return;
    bar ??= progressBar('reading', end - seq);
    bar.update(Math.max(0, at - seq));
  };
  try {
    return await readTrace(nc, { seq, all, onProgress, shown: (message) => masks.message(message) });
  } finally {
    bar?.[Symbol.dispose]();
  }
};

const showTrace = (seq: number, options: Options): TaskEither<Fault, ExitCode> =>
  withConnection(options, (nc) => async () => {
    try {
      const masks = await askMasks(nc, options, `replay trace ${seq}`)();
      if (isLeft(masks)) return masks;
      const trace = await read(nc, seq, options.all === true, masks.right);
      const { json, mermaid, html, out } = options;
      const isText = json !== true && mermaid !== true && html !== true;
      return await write(linesOf(trace, options), out, isText);
    } catch (thrown) {
      return left(faultThrown(thrown));
    }
  });

/** `replay trace`, a command of the group `replay`. */
export const addTrace = (group: Command): void => {
  const command = withReveal(
    withTargetOptions(
      group
        .command('trace')
        .argument('<seq>', 'any record of the conversation', positive('SEQ'))
        .description(
          'print a whole conversation as a tree of causes, with times, outcomes, and the time of each part',
        ),
    ),
  )
    .option('--mermaid', 'print a Mermaid sequence diagram')
    .option('--html', 'print a sequence diagram as one HTML file, which needs no network')
    .option('--out <file>', 'file to write instead of standard output')
    .option('--depth <levels>', 'levels of the tree to show', positive('--depth'))
    .option('--limit <count>', `records to show (default: ${ROWS} as text)`, positive('--limit'))
    .option(
      '--all',
      'read to the end of the log, and show records that joined after the end of the conversation too',
    )
    .action((seq: number, options: Options) =>
      runCommand(async () => {
        const form = checkForm(options);
        return form._tag === 'Left' ? form : showTrace(seq, options)();
      }),
    );
  withExamples(command, [
    'tallystick replay trace 17',
    'tallystick replay trace 17 --html --out 17.html',
    'tallystick replay trace 17 --mermaid',
    "tallystick replay trace 17 --json | jq '.findings[]'",
  ]);
};
