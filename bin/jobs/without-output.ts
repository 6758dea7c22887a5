import { Console } from 'node:console';

/**
 * Runs code of a module in this process. What it prints goes to stderr, because the output of the command must not mix
 * with it. It cannot end the process.
 */
export const withoutOutput = async <T>(load: () => Promise<T>): Promise<T> => {
  const [write, exit, before] = [process.stdout.write, process.exit, globalThis.console];
  globalThis.console = new Console(process.stderr);
  process.stdout.write = process.stderr.write.bind(process.stderr) as typeof write;
  process.exit = (code) => {
    throw new Error(`it ends its process with exit code ${code ?? 0}`);
  };
  try {
    return await load();
  } finally {
    globalThis.console = before;
    process.stdout.write = write;
    process.exit = exit;
  }
};
