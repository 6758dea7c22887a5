import { formatDuration } from '../../text/durations.js';
import { escapeXml } from '../../text/xml.js';
import type { Message, Sequence } from './sequence.js';
import { whatOf } from './trace-words.js';

/** Payloads are shown whole up to this. */
const MAX_PAYLOAD = 4_000;

const clipped = (text: string, most: number): string =>
  text.length <= most ? text : `${text.slice(0, most)}… and ${text.length - most} more characters`;

/** A record in words: what it is, from whom and when, what is wrong with it, and its payload. */
export const recordText = ({ record, kind, node }: Message, mostPayload: number): string => {
  const { handling, problem } = node;
  const took =
    kind === 'result' && handling?.tookMs != null ? `, after ${formatDuration(handling.tookMs)}` : '';
  const waited =
    kind === 'result' && (handling?.waitedFor ?? 0) > 0
      ? [
          `waited ${formatDuration(handling?.waitedMs ?? 0)} for ${handling?.waitedFor} before it at its agent`,
        ]
      : [];
  return [
    `${record.seq} ${record.kind} ${whatOf(record)}${took}`,
    `${record.time} from ${record.sender ?? '-'}, ${record.id ?? 'no id'}`,
    ...waited,
    ...(problem === null ? [] : [problem]),
    ...(handling?.missing ?? []).map((subject) => `missing: ${subject}`),
    clipped(record.payload.shown(true), mostPayload),
  ].join('\n');
};

/** The drawn records with their payloads, in the order of the diagram. The diagram has a link to each. */
export const recordList = ({ messages }: Sequence): string =>
  messages.length === 0
    ? ''
    : `<h2>Records</h2>${messages
        .map(
          (message) =>
            `<pre id="p${message.record.seq}">${escapeXml(recordText(message, MAX_PAYLOAD))}</pre>`,
        )
        .join('')}`;
