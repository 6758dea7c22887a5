import { type Message, sequenceOf } from './sequence.js';
import type { Trace } from './conversation-trace.js';
import type { WalkOptions } from './walk.js';
import { outcomeText, whatOf } from './trace-words.js';
import { formatDuration } from '../../text/durations.js';
import { plural } from '../../text/numbers.js';

/** Above some 50,000 characters Mermaid draws nothing. */
const LIMIT = 300;
const MAX_NAME = 60;
const MAX_TEXT = 120;

/** What is not a plain character is written as its number, which Mermaid reads back: names and errors are anybody's. */
const escaped = (text: string, most: number): string => {
  const characters = [...text];
  const shown = characters.length > most ? [...characters.slice(0, most - 1), '…'] : characters;
  return shown.map((c) => (/[A-Za-z0-9 _.,/→…-]/.test(c) ? c : `#${c.codePointAt(0)};`)).join('');
};

const line = (message: Message): string => {
  const { record, node, kind, from, to } = message;
  const what = (text: string): string => escaped(text, MAX_TEXT);
  const { handling } = node;
  if (kind === 'event') return `Note over p${to}: ${what(`${record.seq} ${record.name}`)}`;
  if (kind === 'other')
    return `Note over p${to}: ${what(`${record.seq} ${whatOf(record)} ${node.problem ?? ''}`)}`;
  if (kind === 'command') {
    const arrow = handling?.result === null ? '-)' : '->>';
    const open = handling?.result === null ? ' (no result)' : '';
    return `p${from}${arrow}p${to}: ${what(`${record.seq} ${record.name}${open}`)}`;
  }
  const arrow = handling?.outcome === 'ok' ? '-->>' : '--x';
  const took = formatDuration(handling?.tookMs ?? 0);
  return `p${from}${arrow}p${to}: ${what(`${record.seq} ${outcomeText(node)} ${took}`)}`;
};

/** A trace as the text of a Mermaid sequence diagram; records above a limit, 300 unless told, are counted in a note. */
export const traceMermaid = (trace: Trace, options: WalkOptions = {}): string => {
  const { participants, messages, more } = sequenceOf(trace, { limit: LIMIT, ...options });
  const last = participants.length - 1;
  const over = last > 0 ? `p0,p${last}` : 'p0';
  return [
    'sequenceDiagram',
    ...participants.map((name, i) => `  participant p${i} as ${escaped(name, MAX_NAME)}`),
    ...messages.map((message) => `  ${line(message)}`),
    ...(more === 0 ? [] : [`  Note over ${over}: and ${escaped(plural(more, 'more record'), MAX_TEXT)}`]),
  ].join('\n');
};
