import { isAtLeast, type LineAbout, type LogLevel, type PrintedLine } from '../../schemas/log-lines.js';
import { printable } from '../../text/printable.js';

/** The output of the broker: one entry, with what it is about as far as its writer knows. */
export interface BrokerLog {
  readonly line: (source: string, text: string, about?: LineAbout) => void;
}

export const LINE_FORMS = ['text', 'json'] as const;
export type LineForm = (typeof LINE_FORMS)[number];

export interface LineFormat {
  readonly form: LineForm;
  /** Lines below it are not printed. */
  readonly level: LogLevel;
}

/** Keys in the order in which people read them. What is unknown is left out. */
export const printedLine = (
  source: string,
  msg: string,
  { level = 'info', module, seq, conversation, agent }: LineAbout = {},
): PrintedLine => ({
  time: new Date().toISOString(),
  level,
  source,
  ...(module === undefined ? {} : { module }),
  ...(seq === undefined ? {} : { seq }),
  ...(conversation === undefined ? {} : { conversation }),
  ...(agent === undefined ? {} : { agent }),
  msg,
});

const aboutText = ({ seq, conversation, agent }: PrintedLine): string => {
  if (seq === undefined) return '';
  const of = conversation === undefined || conversation === seq ? '' : ` of conversation ${conversation}`;
  return ` (command ${seq}${of}${agent === undefined || agent === '' ? '' : `, agent ${agent}`})`;
};

/**
 * `time [source] text`, one line an entry, or more if the text has more. Text of modules and senders can be in it: each
 * line has its head, and none controls a terminal.
 */
export const lineText = (line: PrintedLine): string => {
  const isTrouble = isAtLeast(line.level, 'warn');
  const head = `${line.time} ${isTrouble ? `${line.level.toUpperCase()} ` : ''}[${printable(line.source)}] `;
  return `${line.msg}${aboutText(line)}`
    .split('\n')
    .map((each) => `${head}${printable(each.replaceAll('\t', '  '))}`)
    .join('\n');
};

/** The same for programs: one object on one line. */
const lineJson = (line: PrintedLine): string => printable(JSON.stringify(line));

/**
 * Prints on stderr, because stdout is for results. A collector of the system (journald, docker) takes it from there.
 */
export const stderrLog = (
  stream: NodeJS.WritableStream = process.stderr,
  { form, level }: LineFormat = { form: 'text', level: 'debug' },
): BrokerLog => ({
  line: (source, text, about) => {
    if (!isAtLeast(about?.level ?? 'info', level)) return;
    const line = printedLine(source, text, about);
    stream.write(`${form === 'json' ? lineJson(line) : lineText(line)}\n`);
  },
});

let current: BrokerLog = stderrLog();

/** For code that is given no log, because it works at the edge of a connection. */
export const processLog: BrokerLog = { line: (...entry) => current.line(...entry) };

/** The log of the broker in this process, from now on. */
export const setProcessLog = (log: BrokerLog): void => {
  current = log;
};
