import { spawn } from 'node:child_process';
import { shellQuote } from '../../bin/text/shell-quote.js';
import { type Exit, follow } from './children.js';
import { showOnFailure } from './failure-log.js';
import { waitFor } from './wait-for.js';

/** A program whose stdin, stdout and stderr are one pseudo-terminal. */
export interface OnTerminal {
  /** All that it has printed, with the echo of what was typed. Lines end with a carriage return and a line feed. */
  readonly screen: () => string;
  /** Resolves when the screen has the text, behind all that this function waited for before. */
  readonly shows: (text: string) => Promise<void>;
  readonly type: (keys: string) => void;
  /** By the exit code of the program. */
  readonly exited: Promise<Exit>;
}

export const KEY = { enter: '\r', interrupt: '\x03', endOfInput: '\x04' } as const;

/** Runs a program on a pseudo-terminal of the `script` command, which is a part of Linux and macOS. */
export const onTerminal = (
  command: readonly string[],
  { cwd, env }: { readonly cwd: string; readonly env: Readonly<Record<string, string | undefined>> },
): OnTerminal => {
  const args =
    process.platform === 'linux'
      ? ['--quiet', '--return', '--command', command.map(shellQuote).join(' '), '/dev/null']
      : ['-q', '/dev/null', ...command];
  const child = spawn('script', args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = follow(child);
  let screen = '';
  let seen = 0;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    screen += text;
  });
  // It may end before it reads the last keys.
  child.stdin.on('error', () => undefined);
  showOnFailure(`on a terminal: ${command.join(' ')}`, () => screen);
  return {
    screen: () => screen,
    shows: (text) =>
      waitFor(`the terminal to show ${JSON.stringify(text)}`, () => {
        const at = screen.indexOf(text, seen);
        if (at !== -1) seen = at + text.length;
        return at !== -1;
      }).then(() => undefined),
    type: (keys) => void child.stdin.write(keys),
    exited,
  };
};
