import type { Payload } from '../../schemas/payload.js';
import { printable } from '../../schemas/printable.js';
import type { HistoryRecord } from '../../schemas/record.js';
import type { TraceNode } from './conversation-trace.js';

export const payloadText = (payload: Payload): string => printable(payload.shown());

export const cut = (text: string, width: number): string =>
  text.length <= width ? text : width < 1 ? '' : `${text.slice(0, width - 1)}…`;

const unit = (value: number, digits: number, name: string): string => `${value.toFixed(digits)} ${name}`;

/** A duration, to three or four digits: `0.42 ms`, `18.3 ms`, `1.42 s`, `3 m 02 s`, `2 h 05 m`. */
export const durationText = (ms: number): string => {
  if (ms < 9.995) return unit(ms, 2, 'ms');
  if (ms < 99.95) return unit(ms, 1, 'ms');
  if (ms < 999.5) return unit(ms, 0, 'ms');
  if (ms < 59_995) return unit(ms / 1_000, 2, 's');
  const seconds = Math.round(ms / 1_000);
  const two = (n: number): string => `${n}`.padStart(2, '0');
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} m ${two(seconds % 60)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} m`;
  return `${(minutes / 1_440).toFixed(1)} d`;
};

export const plural = (n: number, one: string, many = `${one}s`): string =>
  `${n.toLocaleString('en')} ${n === 1 ? one : many}`;

/** `module.name agent`; the subject of what is none of ours. */
export const whatOf = ({ module, name, agent, subject }: HistoryRecord): string =>
  printable(module === null ? subject : [`${module}.${name}`, ...(agent === null ? [] : [agent])].join(' '));

/** Who is where: an agent, or a module. */
export const placeOf = ({ module, agent }: HistoryRecord): string =>
  printable(module === null ? 'the log' : agent === null ? module : `${module}/${agent}`);

/** What became of a command, in a few words. */
export const outcomeText = ({ handling }: TraceNode): string => {
  if (handling === null) return '';
  const { outcome, error, dead } = handling;
  const code = error === null ? '' : ` ${error.code}: ${error.message}`;
  const letter = dead === null ? '' : ` (dead letter after ${plural(dead, 'try', 'tries')})`;
  return printable(`${outcome}${code}${letter}`);
};
