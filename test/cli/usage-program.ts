/**
 * Runs the command line over and over in one process, which loads its files once: each message is `{args, env}`, each
 * answer `{code, stdout, stderr}`.
 */
import { main } from '../../bin/main.js';
import { tallystickPath } from '../support/program-paths.js';
import type { ProgramResult } from '../support/run-program.js';

export interface Asked {
  readonly args: readonly string[];
  /** Added to the environment that the process began with, for this time. */
  readonly env: Readonly<Record<string, string>>;
}

const ENV = { ...process.env };

/** What is written to a stream instead goes to the text that this gives. */
const collect = (stream: NodeJS.WriteStream): (() => string) => {
  const write = stream.write;
  let text = '';
  stream.write = (chunk: string | Uint8Array): boolean => {
    text += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8');
    return true;
  };
  return () => {
    stream.write = write;
    return text;
  };
};

const answer = async ({ args, env }: Asked): Promise<ProgramResult> => {
  process.argv = [process.execPath, tallystickPath(), ...args];
  process.env = { ...ENV, ...env };
  process.exitCode = undefined;
  const [stdout, stderr] = [collect(process.stdout), collect(process.stderr)];
  await main();
  const code = Number(process.exitCode ?? 0);
  process.exitCode = undefined;
  return { code, stdout: stdout(), stderr: stderr() };
};

process.on('message', (asked: Asked) => {
  void answer(asked).then((result) => process.send?.(result));
});
