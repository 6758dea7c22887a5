import { findingsOf } from './trace-findings.js';
import { escapeXml } from '../../text/xml.js';
import { recordList } from './record-list.js';
import { sequenceSvg } from './sequence-svg.js';
import { sequenceOf } from './sequence.js';
import { STYLE } from './html-style.js';
import { TIMES_NOTE, timesOf, totalOf } from './times.js';
import type { ReadTrace } from './read-trace.js';
import type { Trace } from './conversation-trace.js';
import type { WalkOptions } from './walk.js';
import { whatOf } from './trace-words.js';
import { formatDuration } from '../../text/durations.js';
import { plural } from '../../text/numbers.js';

/** More than this is a page that no browser likes. */
const LIMIT = 2_000;
const LISTED = 50;

const cell = (text: string): string => `<td>${escapeXml(text)}</td>`;

const findingsHtml = (trace: Trace): string => {
  const findings = findingsOf(trace);
  if (findings.length === 0) return '';
  const items = findings
    .slice(0, LISTED)
    .map(({ seq, what, said }) => `<li><a href="#r${seq}">${seq}</a> ${escapeXml(`${what}: ${said}`)}</li>`);
  const more = findings.length - LISTED;
  return `<h2>Not ok</h2><ul class="findings">${items.join('')}${more > 0 ? `<li>and ${more} more</li>` : ''}</ul>`;
};

const timesHtml = (trace: Trace): string => {
  const times = timesOf(trace);
  if (times.length === 0) return '';
  const most = Math.max(...times.map(totalOf), Number.MIN_VALUE);
  const bar = (kind: string, ms: number): string =>
    `<i class="${kind}" style="width:${((ms / most) * 16).toFixed(2)}em"></i>`;
  const rows = times
    .slice(0, LISTED)
    .map(({ action, commands, open, waitedMs, callsMs, ownMs, copiesMs }) => {
      const figures = [waitedMs, callsMs, ownMs, copiesMs].map((ms) => cell(formatDuration(ms))).join('');
      const counted = cell(open === 0 ? `${commands}` : `${commands}, ${open} open`);
      return `<tr><th>${escapeXml(action)}</th>${counted}${figures}<td class="bar">${bar('waited', waitedMs)}${bar('own', ownMs)}${bar('copies', copiesMs)}</td></tr>`;
    });
  const heads = ['action', 'commands', 'waited', 'calls', 'own', 'copies', '']
    .map((head) => `<th>${head}</th>`)
    .join('');
  const more = times.length > LISTED ? `<p>and ${plural(times.length - LISTED, 'more action')}</p>` : '';
  return `<h2>Where the time went</h2><table><tr>${heads}</tr>${rows.join('')}</table>${more}<p class="note">${escapeXml(TIMES_NOTE)}.</p>`;
};

const headHtml = (trace: Trace | ReadTrace, title: string): string => {
  const { records, commands, outcomes, began, spanMs } = trace;
  const counted = Object.entries(outcomes).map(([outcome, n]) => `<b class="${outcome}">${n} ${outcome}</b>`);
  const sum = `${plural(records, 'record')} in ${formatDuration(spanMs)}, ${plural(commands, 'command')}`;
  const read =
    'read' in trace
      ? `; ${trace.read.ended ? 'ended' : 'not ended'}; read ${trace.read.fromSeq} to ${trace.read.toSeq} of ${trace.read.logEnd}`
      : '';
  return `<h1>${escapeXml(title)}</h1><p>${escapeXml(began ?? '')}; ${sum}${counted.length === 0 ? '' : `: ${counted.join(', ')}`}${read}</p>`;
};

/**
 * A trace as one HTML page: a sequence diagram, what is not ok, where the time went, and the records with their
 * payloads. It has no scripts and loads nothing, and its policy forbids both, whatever the payloads say.
 */
export const traceHtml = (trace: Trace | ReadTrace, options: WalkOptions = {}): string => {
  const [first] = trace.roots;
  const title = `conversation ${trace.conversation}${first === undefined ? '' : `: ${whatOf(first.record)}${first.record.sender === null ? '' : ` from ${first.record.sender}`}`}`;
  const sequence = sequenceOf(trace, { limit: LIMIT, ...options });
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`,
    '<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">',
    `<title>${escapeXml(title)}</title><style>${STYLE}</style></head><body>`,
    `<header>${headHtml(trace, title)}${findingsHtml(trace)}</header>`,
    `<main>${sequenceSvg(sequence)}</main>`,
    sequence.more === 0
      ? ''
      : `<p class="more">and ${plural(sequence.more, 'more record')} that are not drawn</p>`,
    `<footer>${timesHtml(trace)}${recordList(sequence)}</footer></body></html>`,
  ].join('\n');
};
