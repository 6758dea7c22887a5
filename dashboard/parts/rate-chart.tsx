import { rateText } from './number-text.js';
import { parseInstant } from '../../schemas/instant.js';

/** How the log grew: some of its records with their times. */
export interface LogTimes {
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly places: readonly { readonly seq: number; readonly time: string }[];
}

interface RateChartProps {
  readonly times: LogTimes;
  readonly at: number;
}

const WIDTH = 1_000;
const HEIGHT = 72;
/** The clock of the log is shown in milliseconds. */
const SHORTEST_S = 0.001;

interface Section {
  readonly from: number;
  readonly to: number;
  readonly rate: number;
}

/** The log gives no other times. */
const msOf = (time: string): number => parseInstant(time) ?? 0;

const sectionsOf = ({ places }: LogTimes): readonly Section[] =>
  places.slice(1).map(({ seq, time }, i) => {
    const before = places[i] as LogTimes['places'][number];
    const seconds = Math.max(SHORTEST_S, (msOf(time) - msOf(before.time)) / 1_000);
    return { from: before.seq, to: seq, rate: (seq - before.seq) / seconds };
  });

/** Records per second along the log. A burst is a thousand times an idle minute, so the heights are logarithms. */
export const RateChart = ({ times, at }: RateChartProps) => {
  const sections = sectionsOf(times);
  const most = Math.max(1, ...sections.map(({ rate }) => rate));
  const length = Math.max(1, times.lastSeq - times.firstSeq);
  const x = (seq: number): number => (WIDTH * (seq - times.firstSeq)) / length;
  const points = sections.flatMap(({ from, to, rate }) => {
    const y = HEIGHT - (HEIGHT - 4) * (Math.log1p(rate) / Math.log1p(most));
    return [`${x(from).toFixed(1)},${y.toFixed(1)}`, `${x(to).toFixed(1)},${y.toFixed(1)}`];
  });
  return (
    <figure class="rates">
      <figcaption class="note">
        Records per second along the log, at most {rateText(most)}; the heights are logarithms
      </figcaption>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`Records per second along the log, at most ${rateText(most)}`}
      >
        {points.length > 0 && (
          <polygon class="rate-area" points={`0,${HEIGHT} ${points.join(' ')} ${WIDTH},${HEIGHT}`} />
        )}
        <line class="rate-at" x1={x(at)} x2={x(at)} y1="0" y2={HEIGHT} />
      </svg>
    </figure>
  );
};
