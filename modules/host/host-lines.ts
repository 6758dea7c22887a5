import type { LineAbout, LogLevel } from '../../schemas/log-lines.js';
import { MAX_LINE_CHARACTERS } from '../../system/lines/bounded-lines.js';
import { commandInHand } from './command-in-hand.js';

/** What a process prints, as the broker reads it: see `system/lines/process-line.ts`. */

const lineOf = (msg: string, about: LineAbout): string => {
  const { seq, conversation, agent } = about;
  const command = {
    ...(seq === undefined ? {} : { seq }),
    ...(conversation === undefined ? {} : { conversation }),
    ...(agent === undefined || agent === '' ? {} : { agent }),
  };
  return `${JSON.stringify({ level: about.level, ...command, msg })}\n`;
};

/** A line, cut to what the broker reads of one. */
const cutLine = (msg: string, about: LineAbout): string => {
  for (let room = MAX_LINE_CHARACTERS; ; room = Math.floor(room / 2)) {
    const text = msg.length > room ? `${msg.slice(0, room)} … (${msg.length - room} more characters)` : msg;
    const line = lineOf(text, about);
    if (line.length <= MAX_LINE_CHARACTERS) return line;
  }
};

/** One entry, or one for each line where that is too long. */
const entriesOf = (msg: string, about: LineAbout): string => {
  const whole = lineOf(msg, about);
  if (whole.length <= MAX_LINE_CHARACTERS) return whole;
  return msg
    .split('\n')
    .map((each) => cutLine(each, about))
    .join('');
};

const NEWLINE = 10;

type Write = typeof process.stdout.write;

/** The writing of one stream: whole lines say which command they are about, all else stays as it is. */
const writing = (write: Write, level: () => LogLevel): Write => {
  let isWithinLine = false;
  const written = (chunk: string | Uint8Array, ...rest: never[]): boolean => {
    if (typeof chunk === 'string' && chunk.endsWith('\n') && !isWithinLine) {
      const command = commandInHand();
      const { seq, conversation, agent } = command ?? {};
      const about = {
        level: level(),
        ...(seq === undefined ? {} : { seq }),
        ...(conversation === undefined ? {} : { conversation }),
        ...(agent === undefined ? {} : { agent }),
      };
      const callback = rest.find((each) => typeof each === 'function') as (() => void) | undefined;
      return write(entriesOf(chunk.slice(0, -1), about), callback);
    }
    const last = typeof chunk === 'string' ? chunk.charCodeAt(chunk.length - 1) : chunk.at(-1);
    if (chunk.length > 0) isWithinLine = last !== NEWLINE;
    return write(chunk, ...rest);
  };
  return written as Write;
};

const CONSOLE = { debug: 'debug', info: 'info', log: 'info', warn: 'warn', error: 'error' } as const;

const print = process.stderr.write.bind(process.stderr);

/** A line of the host itself. */
export const sayLine = (msg: string, about: LineAbout = {}): void => {
  print(entriesOf(msg, { level: 'info', ...about }));
};

/**
 * From now on, what the code of the module prints says its level, and which command it is about. The functions of the
 * console stay those of Node, for a debugger listens to them.
 */
export const nameCommands = (): void => {
  let told: LogLevel | undefined;
  for (const [name, level] of Object.entries(CONSOLE) as [keyof typeof CONSOLE, LogLevel][]) {
    // biome-ignore lint/suspicious/noConsole: it is that of the module
    const original = console[name];
    console[name] = (...said: unknown[]): void => {
      const before = told;
      told = level;
      try {
        original(...said);
      } finally {
        told = before;
      }
    };
  }
  process.stdout.write = writing(process.stdout.write.bind(process.stdout), () => told ?? 'info');
  process.stderr.write = writing(process.stderr.write.bind(process.stderr), () => told ?? 'warn');
};
