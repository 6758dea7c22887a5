import { type Fault, fault } from '../../schemas/errors.js';
import { EXIT } from './exit.js';
import { printError } from './output.js';
import { wantsJson } from './run-command.js';

type Failed = NodeJS.ErrnoException;

const unwritten = (error: Failed): Fault =>
  fault('OUTPUT_FAILED', `standard output cannot be written: ${error.message}; the output is not complete`);

/** A reader that closes the pipe early (`| head`) is no error. */
const hasLeft = (error: Failed): boolean => error.code === 'EPIPE';

const end = (error: Failed): never => {
  if (hasLeft(error)) process.exit(process.exitCode ?? EXIT.done);
  printError(unwritten(error), wantsJson());
  process.exit(EXIT.no);
};

/**
 * What the process does if its output cannot be written. `end`: it ends, with OUTPUT_FAILED and exit code 1 unless
 * its reader has closed the pipe. `continue`: a broker keeps running without its reader, and with a full disk.
 */
export const whenUnwritten = (then: 'end' | 'continue'): void => {
  for (const stream of [process.stdout, process.stderr]) stream.removeAllListeners('error');
  process.stdout.on('error', (error: Failed) => {
    if (then === 'end') end(error);
  });
  process.stderr.on('error', (error: Failed) => {
    // There is no output left to report this on.
    if (then === 'end') process.exit(process.exitCode ?? (hasLeft(error) ? EXIT.done : EXIT.no));
  });
};

/** Ends the process when all its output is written. If that fails, {@link whenUnwritten} decides. */
export const endWhenWritten = (): void => {
  const finish = (): void => {
    const { errored } = process.stdout;
    if (errored !== null && errored !== undefined) end(errored);
    process.exit();
  };
  // Output to a file is written at once, and a failure is reported later. A device may refuse to write even zero bytes.
  if (process.stdout.writableLength === 0) setImmediate(finish);
  else process.stdout.write('', finish);
};
