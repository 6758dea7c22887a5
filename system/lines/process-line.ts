import { LOG_LEVELS, type LineAbout, type LogLevel } from '../../schemas/log-lines.js';
import { objectInLine } from '../../schemas/json.js';

/** A line that a process printed, with what it says of itself. */
export interface ProcessLine extends LineAbout {
  readonly msg: string;
}

/** Numbers of pino, which other libraries use too. */
const levelOf = (value: unknown): LogLevel | undefined => {
  if (typeof value === 'number')
    return value < 30 ? 'debug' : value < 40 ? 'info' : value < 50 ? 'warn' : 'error';
  const word = typeof value === 'string' ? value.toLowerCase() : '';
  const same: Readonly<Record<string, LogLevel>> = {
    trace: 'debug',
    warning: 'warn',
    fatal: 'error',
    critical: 'error',
  };
  return LOG_LEVELS.find((level) => level === word) ?? (Object.hasOwn(same, word) ? same[word] : undefined);
};

const sequence = (value: unknown): number | undefined =>
  Number.isSafeInteger(value) && (value as number) > 0 ? (value as number) : undefined;

/** What libraries add to each line, and the broker knows better. */
const KNOWN_BETTER = new Set(['time', 'pid', 'hostname', 'timestamp', 'module']);

/**
 * Reads a line of a process. An object with `msg` is a line of a logging library, or of our host: its level, and the
 * command that it is about, are taken from it, and what else it has stays in the text. All other lines are text.
 */
export const processLine = (line: string, level: LogLevel): ProcessLine => {
  const object = objectInLine(line);
  const msg = object?.msg ?? object?.message;
  if (object === undefined || typeof msg !== 'string') return { msg: line, level };
  const { level: told, seq, conversation, agent, msg: _, message: __, ...more } = object;
  const [command, first] = [sequence(seq), sequence(conversation)];
  const rest = Object.entries(more).filter(([key]) => !KNOWN_BETTER.has(key));
  return {
    msg: rest.length === 0 ? msg : `${msg} ${JSON.stringify(Object.fromEntries(rest))}`,
    level: levelOf(told) ?? level,
    ...(command === undefined ? {} : { seq: command }),
    ...(first === undefined ? {} : { conversation: first }),
    ...(typeof agent === 'string' ? { agent: agent.slice(0, 256) } : {}),
  };
};
