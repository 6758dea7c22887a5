import { once } from 'node:events';
import { relative } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { type Either, left, right } from 'fp-ts/lib/Either.js';
import { askDescriber, type DescribeCage } from './describer.js';

/** What the process says of a module: its manifest as it is written, or why there is none. */
export type Described = { readonly name: string; readonly manifest: string } | { readonly problem: string };

const LOAD_MS = 20_000;
/** Node ends a process so that waits at its top level while nothing can wake it. */
const WAITS_FOR_NOTHING = 13;

interface DescribeOptions extends DescribeCage {
  readonly file: string;
  /** Errors name files as seen from here. */
  readonly cwd: string;
  readonly loadMs?: number;
}

const endOf = (code: number | null, signal: NodeJS.Signals | null): string => {
  if (code === WAITS_FOR_NOTHING) return 'it waits at its top level for what never comes';
  return code === null ? `its process was killed by ${signal}` : `it ends its process with exit code ${code}`;
};

/**
 * Runs a bundled module in a separate process, for 20 s (`loadMs`) at most, and returns its manifest. Left: the
 * problem, with the place in the source.
 */
export const describeModule = async (
  bundle: string,
  { file, cwd, loadMs = LOAD_MS, ...how }: DescribeOptions,
): Promise<Either<string, Exclude<Described, { readonly problem: string }>>> => {
  const { child, answer: answering, done } = await askDescriber({ bundle, file, cwd }, how);
  const shown = relative(cwd, file);
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    child.kill('SIGKILL');
  }, loadMs);
  // If this process ends first, for example by Ctrl-C, that one must not go on.
  const end = (): void => void child.kill('SIGKILL');
  process.once('exit', end);
  try {
    const [answer, [code, signal]] = await Promise.all([
      buffer(answering),
      once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>,
    ]);
    if (isLate) return left(`${shown}: it did not load within ${loadMs / 1000} s`);
    if (answer.length === 0) return left(`${shown}: ${endOf(code, signal)}`);
    const described = JSON.parse(answer.toString('utf8')) as Described;
    return 'problem' in described ? left(described.problem) : right(described);
  } catch (error) {
    return left(`${shown} cannot be loaded: ${(error as Error).message}`);
  } finally {
    clearTimeout(timer);
    process.off('exit', end);
    done();
  }
};
