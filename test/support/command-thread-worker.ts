/** A thread of {@link runInThread}: runs commands one after the other, each with the bundle of the command line evaluated again. */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { setImmediate as turn } from 'node:timers/promises';
import { Script } from 'node:vm';
import { parentPort } from 'node:worker_threads';
import type { CommandNews, CommandOrder } from './command-threads.js';
import { PROJECT_ROOT } from './project-root.js';

const FILE = join(PROJECT_ROOT, 'dist', 'chunks', 'command-line.cjs');
const COMPILED = `${FILE}.compiled`;
const PROGRAM = join(PROJECT_ROOT, 'dist', 'bin', 'tallystick.js');

const script = new Script(readFileSync(FILE, 'latin1'), {
  filename: FILE,
  ...(existsSync(COMPILED) ? { cachedData: readFileSync(COMPILED) } : {}),
});
const bundle = script.runInThisContext() as (...given: readonly unknown[]) => void;

const port = parentPort;
if (port === null) throw new Error('this is a thread of test/support/command-threads.ts');
const tell = (news: CommandNews): void => port.postMessage(news);

const put = (name: 'argv' | 'env' | 'stdin' | 'stdout' | 'stderr' | 'exit', value: unknown): void => {
  Object.defineProperty(process, name, { value, configurable: true, writable: true });
};

/** A pipe whose reader reads all. */
const pipe = (stream: 'stdout' | 'stderr'): Writable => {
  const decoder = new StringDecoder('utf8');
  return new Writable({
    decodeStrings: true,
    write: (chunk: Buffer, _encoding, done) => {
      tell({ stream, text: decoder.write(chunk) });
      done();
    },
  });
};

/** Turns of the loop that sockets and timers may take to be gone. */
const TURNS = 20;

const openNow = (): number => process.getActiveResourcesInfo().length;

const isAsBefore = async (before: number): Promise<boolean> => {
  for (let i = 0; i < TURNS; i++) {
    if (openNow() <= before) return true;
    await turn();
  }
  return false;
};

const run = async ({ argv, env, input }: CommandOrder): Promise<void> => {
  const before = openNow();
  const exits = process.listeners('exit');
  put('argv', [process.execPath, PROGRAM, ...argv]);
  put('env', { ...env });
  put('stdin', Readable.from(input.length === 0 ? [] : [Buffer.from(input as string)]));
  put('stdout', pipe('stdout'));
  put('stderr', pipe('stderr'));
  process.exitCode = undefined;
  const ended = new Promise<number>((resolve) => {
    // Where the command line ends its process it has nothing more to do.
    put('exit', (code?: number) => resolve(Number(code ?? process.exitCode ?? 0)));
  });
  const module = { exports: {} as { runCommandLine: () => Promise<void> } };
  bundle(
    module.exports,
    createRequire(FILE),
    module,
    FILE,
    dirname(FILE),
    (specifier: string) => import(specifier),
  );
  await module.exports.runCommandLine();
  const code = await ended;
  for (const listener of process.listeners('exit').filter((each) => !exits.includes(each))) {
    process.off('exit', listener);
    listener(code);
  }
  process.exitCode = undefined;
  tell({ code, isClean: await isAsBefore(before) });
};

port.on('message', (order: CommandOrder) => void run(order));
