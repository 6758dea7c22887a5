import type { PlacedRecord, TracedRecord } from '../api/trace-answer.js';
import { msText } from './number-text.js';

const LANE = 164;
const ROW = 34;
const TOP = 46;
const MARGIN = 80;

interface Arrow {
  readonly seq: number;
  readonly from: string;
  readonly to: string;
  readonly text: string;
  readonly kind: 'command' | 'result' | 'refusal' | 'event' | 'other';
}

const placeOf = ({ module, agent }: TracedRecord): string =>
  agent === null || agent === '' ? (module ?? 'log') : `${module}/${agent}`;

/** Who acts where: the handler of the command above it, or its sender. */
const arrowsOf = (records: readonly PlacedRecord[]): readonly Arrow[] => {
  const byCommand = new Map<number, string>();
  const arrows: Arrow[] = [];
  for (const { record } of records) {
    const { seq, kind, name, cause, sender, outcome, error, result, tookMs } = record;
    const place = placeOf(record);
    const from = (cause === null ? undefined : byCommand.get(cause)) ?? sender ?? 'log';
    if (kind === 'cmd') {
      byCommand.set(seq, place);
      arrows.push({ seq, from, to: place, text: name ?? '', kind: 'command' });
      if (result == null) continue;
      const took = typeof tookMs === 'number' ? `, ${msText(tookMs)}` : '';
      const text = outcome === 'ok' ? `ok${took}` : `${error?.code ?? outcome}${took}`;
      arrows.push({
        seq: result,
        from: place,
        to: from,
        text,
        kind: outcome === 'ok' ? 'result' : 'refusal',
      });
    } else if (kind === 'evt')
      arrows.push({
        seq,
        from: place,
        to: place,
        text: name ?? '',
        kind: 'event',
      });
    else
      arrows.push({
        seq,
        from: place,
        to: place,
        text: `${kind} ${name ?? ''}`,
        kind: 'other',
      });
  }
  return arrows.sort((one, other) => one.seq - other.seq);
};

const clipped = (text: string): string => (text.length > 22 ? `${text.slice(0, 21)}…` : text);

const ArrowLine = ({
  arrow,
  y,
  x,
}: {
  readonly arrow: Arrow;
  readonly y: number;
  readonly x: (who: string) => number;
}) => {
  const [from, to] = [x(arrow.from), x(arrow.to)];
  if (from === to)
    return (
      <g class={`arrow ${arrow.kind}`}>
        <title>{`${arrow.seq}: ${arrow.text} of ${arrow.from}`}</title>
        <circle cx={from} cy={y} r="4" />
        <text x={from + 10} y={y + 4}>
          {clipped(arrow.text)}
        </text>
      </g>
    );
  const tip = to > from ? -7 : 7;
  return (
    <g class={`arrow ${arrow.kind}`}>
      <title>{`${arrow.seq}: ${arrow.text}, from ${arrow.from} to ${arrow.to}`}</title>
      <line x1={from} y1={y} x2={to} y2={y} />
      <polygon points={`${to},${y} ${to + tip},${y - 4} ${to + tip},${y + 4}`} />
      <text x={(from + to) / 2} y={y - 6} text-anchor="middle">
        {clipped(arrow.text)}
      </text>
    </g>
  );
};

/** Who sent what to whom, in the order of the log. */
export const SequenceDiagram = ({ records }: { readonly records: readonly PlacedRecord[] }) => {
  const arrows = arrowsOf(records);
  const lanes = [...new Set(arrows.flatMap(({ from, to }) => [from, to]))];
  const x = (who: string): number => MARGIN + lanes.indexOf(who) * LANE;
  const width = 2 * MARGIN + (lanes.length - 1) * LANE;
  const height = TOP + (arrows.length + 1) * ROW;
  return (
    <svg
      class="sequence"
      width={width}
      height={height}
      viewBox={`0 0 ${width} ${height}`}
      role="img"
      aria-label={`Sequence diagram of ${arrows.length} messages between ${lanes.join(', ')}. The records below have the same.`}
    >
      {lanes.map((lane) => (
        <g key={lane} class="lane">
          <line x1={x(lane)} y1={TOP - 12} x2={x(lane)} y2={height - 8} />
          <rect x={x(lane) - 76} y="4" width="152" height="28" rx="6" />
          <text x={x(lane)} y="23" text-anchor="middle">
            <title>{lane}</title>
            {clipped(lane)}
          </text>
        </g>
      ))}
      {arrows.map((arrow, i) => (
        <ArrowLine key={`${arrow.seq}-${arrow.kind}`} arrow={arrow} y={TOP + (i + 0.7) * ROW} x={x} />
      ))}
    </svg>
  );
};
