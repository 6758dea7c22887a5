import type { Command } from 'commander';
import { type Either, left, right } from 'fp-ts/lib/Either.js';
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
import type { ExitCode } from '../../output/exit.js';
import { positive } from '../../options/option-values.js';
import { printLine, verbatim } from '../../output/output.js';
import { progressBar } from '../../text/progress-bar.js';
import { done, run, withExamples } from '../../output/run-command.js';
import type { TargetOptions } from '../../connect/target.js';
import { terminal } from '../../output/terminal.js';
import { thrownFault } from '../../output/thrown-fault.js';

interface Options extends TargetOptions {
  readonly json?: boolean;
  readonly mermaid?: boolean;
  readonly html?: boolean;
  readonly out?: string;
  readonly depth?: number;
  readonly limit?: number;
  readonly all?: boolean;
}

/** Rows that people are shown; programs get all. */
const ROWS = 2_000;
const BAR_AFTER_MS = 500;

const checkForm = ({ json, mermaid, html }: Options): Either<Fault, undefined> =>
  [json, mermaid, html].filter((form) => form === true).length > 1
    ? left(fault('USAGE', '--json, --mermaid and --html are a form each: give one of them'))
    : right(undefined);

/** The trace as it was asked for, line by line. */
const linesOf = (trace: ReadTrace, { json, mermaid, html, depth, limit, out }: Options): Iterable<string> => {
  const shown = { depth, ...(limit === undefined ? {} : { limit }) };
  if (json === true) return [traceJson(trace, shown)];
  if (mermaid === true) return [traceMermaid(trace, shown)];
  if (html === true) return [traceHtml(trace, shown)];
  return traceText(trace, { limit: ROWS, ...shown, ...(out === undefined ? terminal() : {}) });
};

/** Lines of text have colours of ours; all that is foreign in them is printable already. */
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

const read = async (nc: NatsConnection, seq: number, all: boolean): Promise<ReadTrace> => {
  const began = performance.now();
  let bar: ReturnType<typeof progressBar> | undefined;
  const onProgress = (at: number, end: number): void => {
    if (performance.now() - began < BAR_AFTER_MS) return;
    bar ??= progressBar('reading', end - seq);
    bar.update(Math.max(0, at - seq));
  };
  try {
    return await readTrace(nc, { seq, all, onProgress });
  } finally {
    bar?.[Symbol.dispose]();
  }
};

const showTrace = (seq: number, options: Options): TaskEither<Fault, ExitCode> =>
  withConnection(options, (nc) => async () => {
    try {
      const trace = await read(nc, seq, options.all === true);
      const { json, mermaid, html, out } = options;
      const isText = json !== true && mermaid !== true && html !== true;
      return await write(linesOf(trace, options), out, isText);
    } catch (thrown) {
      return left(thrownFault(thrown));
    }
  });

/** `replay trace`, in the group of the commands that read the log back. */
export const addTrace = (group: Command): void => {
  const command = withTargetOptions(
    group
      .command('trace')
      .argument('<seq>', 'any record of a conversation; its first one names it', positive('SEQ'))
      .description('a whole conversation as a tree by cause: times, outcomes, and where the time went'),
  )
    .option('--mermaid', 'the text of a Mermaid sequence diagram')
    .option('--html', 'a sequence diagram as one HTML file, which needs no network')
    .option('--out <file>', 'write there instead of standard output')
    .option('--depth <levels>', 'how many levels of the tree to show', positive('--depth'))
    .option('--limit <count>', `how many records to show (default: ${ROWS} as text)`, positive('--limit'))
    .option('--all', 'read to the end of the log: what joined the conversation after its end is shown too')
    .action((seq: number, options: Options) =>
      run(async () => {
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
