import type { Payload } from '../../schemas/payload.js';
import { printable } from '../../text/printable.js';
import type { HistoryRecord } from '../../schemas/record.js';
import { plural } from '../../text/numbers.js';
import type { TraceNode } from './conversation-trace.js';

export const payloadText = (payload: Payload): string => printable(payload.shown());

/** `module.name agent`; the subject of what is none of ours. */
export const whatOf = ({ module, name, agent, subject }: HistoryRecord): string =>
  printable(module === null ? subject : [`${module}.${name}`, ...(agent === null ? [] : [agent])].join(' '));

/** Who is where: an agent, or a module. */
export const agentOrModule = ({ module, agent }: HistoryRecord): string =>
  printable(module === null ? 'the log' : agent === null ? module : `${module}/${agent}`);

/** What became of a command, in a few words. */
export const outcomeText = ({ handling }: TraceNode): string => {
  if (handling === null) return '';
  const { outcome, error, dead } = handling;
  const code = error === null ? '' : ` ${error.code}: ${error.message}`;
  const letter = dead === null ? '' : ` (dead letter after ${plural(dead, 'try', 'tries')})`;
  return printable(`${outcome}${code}${letter}`);
};
