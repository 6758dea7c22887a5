import { escapeXml } from '../../text/xml.js';
import type { Message, Sequence } from './sequence.js';
import { recordText } from './record-list.js';
import { outcomeText, whatOf } from './trace-words.js';
import { clip } from '../../text/printable.js';
import { formatDuration } from '../../text/durations.js';

const GUTTER = 170;
const ROW = 34;
const HEAD = 44;
/** Of a participant's column, and of the letters in it. */
const MIN_COLUMN = 130;
const MAX_COLUMN = 280;
const LETTER = 6.6;
/** Of a payload, what pointing at its record shows. */
const POINTED_AT = 300;

interface Layout {
  readonly column: number;
  readonly width: number;
  readonly height: number;
  readonly x: (participant: number) => number;
  readonly y: (row: number) => number;
}

const labelOf = ({ record, kind, node }: Message): string => {
  if (kind === 'result') return `${outcomeText(node)} ${formatDuration(node.handling?.tookMs ?? 0)}`;
  if (kind === 'event') return record.name ?? record.subject;
  if (kind === 'command') return record.name ?? record.subject;
  return `${whatOf(record)} ${node.problem ?? ''}`;
};

/** As wide as most labels need, within what can be read. */
const layoutOf = ({ participants, messages }: Sequence): Layout => {
  const longest = Math.max(0, ...participants.map((name) => name.length));
  const labels = messages.map((message) => labelOf(message).length).sort((a, b) => a - b);
  const usual = labels[Math.floor(labels.length * 0.9)] ?? 0;
  const wanted = (Math.max(longest, usual) + 4) * LETTER;
  const column = Math.round(Math.min(MAX_COLUMN, Math.max(MIN_COLUMN, wanted)));
  return {
    column,
    width: GUTTER + Math.max(1, participants.length) * column + column,
    height: (messages.length + 1) * ROW,
    x: (participant) => GUTTER + participant * column + column / 2,
    y: (row) => row * ROW + ROW * 0.75,
  };
};

const text = (x: number, y: number, content: string, classes: string, anchor = 'middle'): string =>
  `<text x="${x}" y="${y}" text-anchor="${anchor}"${classes === '' ? '' : ` class="${classes}"`}>${escapeXml(content)}</text>`;

const tip = (x: number, y: number, direction: number, classes: string): string =>
  `<path class="tip ${classes}" d="M${x} ${y}l${-8 * direction} -4v8z"/>`;

const arrowSvg = (message: Message, layout: Layout, y: number): string => {
  const { kind, node, from, to } = message;
  const outcome = node.handling?.outcome ?? 'ok';
  const isBad = kind === 'result' ? outcome !== 'ok' : outcome === 'open';
  const line = `arrow${kind === 'result' ? ' back' : ''}${isBad ? ` l-${outcome}` : ''}`;
  const paint = kind === 'result' ? `s-${outcome}` : '';
  const [x1, x2] = [layout.x(from), layout.x(to)];
  const label = (room: number): string => clip(labelOf(message), Math.floor(room / LETTER));
  if (from === to) {
    const path = `<path class="${line}" d="M${x1} ${y - 7}h26v9h-20"/>`;
    return `${path}${tip(x1 + 4, y + 2, -1, paint)}${text(x1 + 34, y + 1, label(layout.column - 44), paint, 'start')}`;
  }
  const direction = x2 > x1 ? 1 : -1;
  const path = `<path class="${line}" d="M${x1} ${y}H${x2 - 7 * direction}"/>`;
  const room = Math.abs(x2 - x1) - 12;
  return `${path}${tip(x2 - 4 * direction, y, direction, paint)}${text((x1 + x2) / 2, y - 6, label(room), paint)}`;
};

const rowSvg = (message: Message, row: number, layout: Layout): string => {
  const { record, kind, atMs, to } = message;
  const y = layout.y(row);
  const hit = `<rect class="hit" x="0" y="${row * ROW}" width="${layout.width}" height="${ROW}"/>`;
  const gutter = `${text(72, y, `${record.seq}`, 'dim', 'end')}${text(GUTTER - 20, y, formatDuration(atMs), 'dim', 'end')}`;
  const x = layout.x(to);
  const mark =
    kind === 'event' || kind === 'other'
      ? `<circle class="${kind === 'event' ? 's-event' : 's-failed'}" cx="${x}" cy="${y - 4}" r="4"/>${text(
          x + 10,
          y,
          clip(labelOf(message), Math.floor((layout.column - 16) / LETTER)),
          kind === 'event' ? 's-event' : 's-failed',
          'start',
        )}`
      : arrowSvg(message, layout, y);
  const title = escapeXml(recordText(message, POINTED_AT));
  return `<a href="#p${record.seq}"><g class="row" id="r${record.seq}"><title>${title}</title>${hit}${gutter}${mark}</g></a>`;
};

/** Boxes on a participant's line while it has a command: pale until its turn, as far as the log tells. */
const busySvg = ({ messages }: Sequence, layout: Layout): string => {
  const rows = new Map(messages.map(({ record }, row) => [record.seq, row]));
  return messages
    .flatMap(({ kind, node, to, record }) => {
      if (kind !== 'command') return [];
      const result = node.handling?.result;
      const from = layout.y(rows.get(record.seq) ?? 0);
      const end = result == null ? layout.height : layout.y(rows.get(result.seq) ?? 0);
      const waits = (node.handling?.waitedFor ?? 0) > 0;
      const [x, width] = waits ? [layout.x(to) - 2, 4] : [layout.x(to) - 4, 8];
      return [
        `<rect class="${waits ? 'wait' : 'busy'}" x="${x}" y="${from}" width="${width}" height="${end - from}" rx="2"/>`,
      ];
    })
    .join('');
};

/** A sequence as inline SVG, participants side by side and time downwards, a row a record. */
export const sequenceSvg = (sequence: Sequence): string => {
  const layout = layoutOf(sequence);
  const { participants, messages } = sequence;
  const size = (height: number): string => `width="${layout.width}" height="${height}"`;
  const heads = participants.map(
    (name, i) =>
      `<g><title>${escapeXml(name)}</title>${text(layout.x(i), 28, clip(name, Math.floor(layout.column / 7.8)), 'head')}</g>`,
  );
  const lives = participants.map((_name, i) => `<path class="life" d="M${layout.x(i)} 0V${layout.height}"/>`);
  const rows = messages.map((message, row) => rowSvg(message, row, layout));
  return [
    `<div class="heads"><svg ${size(HEAD)}>${heads.join('')}</svg></div>`,
    `<svg ${size(layout.height)} role="img"><title>sequence diagram</title>`,
    `${lives.join('')}${busySvg(sequence, layout)}${rows.join('\n')}</svg>`,
  ].join('\n');
};
