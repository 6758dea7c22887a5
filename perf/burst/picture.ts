import type { BurstRun } from './burst-outcome.js';
import type { LoadMoment } from '../../schemas/burst.js';
import { formatNumber } from '../../text/numbers.js';
import { escapeXml } from '../../text/xml.js';

const WIDTH = 960;
const LEFT = 80;
const RIGHT = 20;
const CHART = 150;
const GAP = 50;
const TOP = 60;

interface Curve {
  readonly name: string;
  readonly colour: string;
  readonly of: (moment: LoadMoment, before: LoadMoment | undefined) => number | null;
}

interface Chart {
  readonly title: string;
  readonly lines: readonly Curve[];
}

const perSecond =
  (of: (moment: LoadMoment) => number) =>
  (moment: LoadMoment, before: LoadMoment | undefined): number | null =>
    before === undefined ? null : ((of(moment) - of(before)) * 1_000) / (moment.atMs - before.atMs);

const CHARTS: readonly Chart[] = [
  {
    title: 'records a second',
    lines: [
      { name: 'offered', colour: '#9aa0a6', of: perSecond(({ offered }) => offered) },
      { name: 'acknowledged', colour: '#1a73e8', of: perSecond(({ acked }) => acked) },
      { name: 'delivered', colour: '#188038', of: perSecond(({ delivered }) => delivered) },
    ],
  },
  {
    title: 'backlog: records due and not delivered',
    lines: [{ name: 'backlog', colour: '#b06000', of: ({ backlog }) => backlog }],
  },
  {
    title: 'p99 from due to acknowledged, ms',
    lines: [{ name: 'p99', colour: '#a142f4', of: ({ p99Ms }) => p99Ms }],
  },
];

const text = (x: number, y: number, words: string, more = ''): string =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${more}>${escapeXml(words)}</text>`;

/** The next of 1, 2 and 5 times a power of ten: what an axis ends with. */
const roundUp = (value: number): number => {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5, 10].find((step) => step * power >= value) ?? 10) * power;
};

/** A few values far above the others would flatten all lines. They are cut off, and the title says so. */
const OFTEN = 0.98;
const FAR_ABOVE = 3;

/** What the axis ends with, and the highest value if that is above it. */
export const axisOf = (values: readonly number[]): { readonly end: number; readonly above?: number } => {
  const sorted = values.toSorted((a, b) => a - b);
  const highest = sorted.at(-1) ?? 0;
  const often = sorted[Math.floor((sorted.length - 1) * OFTEN)] ?? 0;
  return often > 0 && highest > FAR_ABOVE * often
    ? { end: roundUp(often), above: highest }
    : { end: roundUp(highest) };
};

const chart = (
  { title, lines }: Chart,
  moments: readonly LoadMoment[],
  top: number,
  endMs: number,
): string => {
  const values = lines.map(({ of }) => moments.map((moment, i) => of(moment, moments[i - 1])));
  const { end: highest, above } = axisOf(values.flat().map((value) => value ?? 0));
  const x = (ms: number): number => LEFT + (ms / endMs) * (WIDTH - LEFT - RIGHT);
  const y = (value: number): number => top + CHART - (Math.min(value, highest) / highest) * CHART;
  const grid = [0, 0.5, 1].map((part) => {
    const at = y(highest * part);
    return `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at}" y2="${at}" stroke="#e0e0e0"/>${text(LEFT - 8, at + 4, formatNumber(highest * part, 3), 'text-anchor="end"')}`;
  });
  const drawn = lines.map(({ name, colour }, k) => {
    const points = (values[k] ?? []).flatMap((value, i) =>
      value === null ? [] : [`${x((moments[i] as LoadMoment).atMs).toFixed(1)},${y(value).toFixed(1)}`],
    );
    const legend = text(
      WIDTH - RIGHT - 110 * (lines.length - 1 - k),
      top - 8,
      name,
      `fill="${colour}" text-anchor="end"`,
    );
    return `<polyline points="${points.join(' ')}" fill="none" stroke="${colour}" stroke-width="1.6"/>${lines.length > 1 ? legend : ''}`;
  });
  const cut =
    above === undefined ? '' : `; cut off, the highest is ${formatNumber(above, above < 100 ? 3 : 0)}`;
  return [text(LEFT, top - 8, `${title}${cut}`, 'font-weight="bold"'), ...grid, ...drawn].join('\n');
};

/** Rate, backlog and latency over time with the kills marked, as one file of SVG that needs nothing else. */
export const picture = ({ outcome, moments, seconds, baselineSeconds }: BurstRun): string => {
  const endMs = Math.max(1_000, moments.at(-1)?.atMs ?? 0);
  const height = TOP + CHARTS.length * (CHART + GAP);
  const x = (ms: number): number => LEFT + (ms / endMs) * (WIDTH - LEFT - RIGHT);
  const bottom = height - GAP;
  const [from, to] = [baselineSeconds * 1_000, (baselineSeconds + seconds) * 1_000];
  const marks = outcome.faults.map(({ at, what }) => {
    const where = x(from + at * 1_000);
    return `<line x1="${where}" x2="${where}" y1="${TOP}" y2="${bottom}" stroke="#d93025" stroke-dasharray="4 3"/>${text(where + 4, TOP + 12, `${what} killed`, 'fill="#d93025"')}`;
  });
  const every = [1, 2, 5, 10, 20, 50, 100, 200, 500].find((step) => endMs / 1_000 / step <= 12) ?? 1_000;
  const seconds0 = Array.from({ length: Math.floor(endMs / 1_000 / every) + 1 }, (_, i) => i * every);
  const title = `${outcome.kind === 'calls' ? 'calls' : 'events'}, ${formatNumber(outcome.offeredRate)}/s offered, ${formatNumber(outcome.achievedRate)}/s acknowledged, ${outcome.durability}: ${outcome.ok ? 'nothing lost' : outcome.reasons[0]}`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="12">`,
    `<title>${escapeXml(title)}</title>`,
    `<rect width="${WIDTH}" height="${height}" fill="white"/>`,
    `<rect x="${x(from)}" y="${TOP}" width="${x(to) - x(from)}" height="${bottom - TOP}" fill="#fef7e0"/>`,
    text(LEFT, 24, title, 'font-size="15"'),
    ...CHARTS.map((each, i) => chart(each, moments, TOP + i * (CHART + GAP), endMs)),
    ...marks,
    ...seconds0.map((second) => text(x(second * 1_000), bottom + 18, `${second} s`, 'text-anchor="middle"')),
    '</svg>',
    '',
  ].join('\n');
};
