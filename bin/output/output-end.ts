import { type Fault, fault } from '../../schemas/errors.js';
import { EXIT } from './exit.js';
import { printError } from './output.js';
import { wantsJson } from './run-command.js';

type Failed = NodeJS.ErrnoException;

const unwritten = (error: Failed): Fault =>
  fault(
    'OUTPUT_FAILED',
    `standard output cannot be written: ${error.message}; what was asked for is not all there`,
  );

/** A reader that has seen enough (`| head`) is no error. */
const hasLeft = (error: Failed): boolean => error.code === 'EPIPE';

const end = (error: Failed): never => {
  if (hasLeft(error)) process.exit(process.exitCode ?? EXIT.done);
  printError(unwritten(error), wantsJson());
  process.exit(EXIT.no);
};

/**
 * What becomes of a process whose output cannot be written. `end`: it ends, with OUTPUT_FAILED and exit code 1 unless its reader
 * has left. `go on`: a broker stays up without its reader, and with a full disk under its log.
 */
export const whenUnwritten = (then: 'end' | 'go on'): void => {
  for (const stream of [process.stdout, process.stderr]) stream.removeAllListeners('error');
  process.stdout.on('error', (error: Failed) => {
    if (then === 'end') end(error);
  });
  process.stderr.on('error', (error: Failed) => {
    // Nobody can be told of it.
    if (then === 'end') process.exit(process.exitCode ?? (hasLeft(error) ? EXIT.done : EXIT.no));
  });
};

/** Ends the process when all that it printed is written; as {@link whenUnwritten} says when that fails. */
export const endWhenWritten = (): void => {
  const finish = (): void => {
    const { errored } = process.stdout;
    if (errored !== null && errored !== undefined) end(errored);
    process.exit();
  };
  // Into a file all is written at once, and only a failure is told later. A device may refuse the writing of nothing, too.
  if (process.stdout.writableLength === 0) setImmediate(finish);
  else process.stdout.write('', finish);
};
