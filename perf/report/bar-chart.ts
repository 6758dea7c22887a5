import { formatNumber } from '../../text/numbers.js';
import { escapeXml } from '../../text/xml.js';
import type { ReportChart } from '../bench/scenario.js';

const WIDTH = 760;
const LEAST_LABELS = 190;
/** Of a letter, at most. */
const LETTER = 7;
const VALUES = 110;
const ROW = 26;
const BAR = 16;
const TOP = 56;

/** Of the drawing, in light and in dark surroundings. */
const STYLE = `
  text { fill: #1f2328; font: 13px system-ui, sans-serif }
  .title { font-weight: 600; font-size: 15px }
  .unit { fill: #59636e }
  .bar { fill: #0969da }
  .peer { fill: #afb8c1 }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc }
    .unit { fill: #9198a1 }
    .bar { fill: #4493f8 }
    .peer { fill: #656d76 }
  }
`;

/** The share of the whole width that a bar takes. */
const shareOf = ({ scale, bars }: ReportChart): ((value: number) => number) => {
  const values = bars.map(({ value }) => value).filter((value) => value > 0);
  const highest = Math.max(...values);
  if (scale === 'linear') return (value) => Math.max(0, value / highest);
  const lowest = 10 ** Math.floor(Math.log10(Math.min(...values)) - 0.001);
  const decades = Math.log10(highest / lowest);
  return (value) => (value <= 0 ? 0 : Math.log10(value / lowest) / decades);
};

const three = (value: number): string =>
  value < 1
    ? String(Number(value.toPrecision(2)))
    : formatNumber(Number(value.toPrecision(3)), value < 100 ? 2 : 0);

/** A chart as one file of SVG that needs nothing else. */
export const barChart = (chart: ReportChart): string => {
  const share = shareOf(chart);
  const longest = Math.max(...chart.bars.map(({ label }) => label.length));
  const labels = Math.max(LEAST_LABELS, LETTER * longest);
  const room = WIDTH - labels - VALUES;
  const height = TOP + chart.bars.length * ROW + 8;
  const rows = chart.bars.map(({ label, value, isOwn = true }, i) => {
    const middle = TOP + i * ROW + ROW / 2;
    const width = Math.max(1, room * share(value)).toFixed(1);
    return [
      `<text x="${labels - 10}" y="${middle + 4}" text-anchor="end">${escapeXml(label)}</text>`,
      `<rect class="${isOwn ? 'bar' : 'bar peer'}" x="${labels}" y="${middle - BAR / 2}" width="${width}" height="${BAR}" rx="2"/>`,
      `<text x="${(labels + Number(width) + 8).toFixed(1)}" y="${middle + 4}">${three(value)}</text>`,
    ].join('\n');
  });
  const unit = chart.scale === 'log' ? `${chart.unit}; each step of the bars is a factor` : chart.unit;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img">`,
    `<title>${escapeXml(`${chart.title}, ${chart.unit}`)}</title>`,
    `<style>${STYLE}</style>`,
    `<text class="title" x="10" y="22">${escapeXml(chart.title)}</text>`,
    `<text class="unit" x="10" y="42">${escapeXml(unit)}</text>`,
    ...rows,
    '</svg>',
    '',
  ].join('\n');
};
