interface SparklineProps {
  readonly values: readonly number[];
  /** What the line shows, with its last value: for people who do not see it. */
  readonly label: string;
}

const WIDTH = 120;
const HEIGHT = 32;
/** Fewer values do not fill the width. */
const FEWEST = 15;

/** A line of the last values; the newest is at the right end. */
export const Sparkline = ({ values, label }: SparklineProps) => {
  const most = Math.max(...values, 1e-9);
  const step = WIDTH / (Math.max(FEWEST, values.length) - 1);
  const points = values.map((value, i) => {
    const x = WIDTH - (values.length - 1 - i) * step;
    return `${x.toFixed(1)},${(HEIGHT - 2 - (value / most) * (HEIGHT - 4)).toFixed(1)}`;
  });
  const first = points[0]?.split(',')[0];
  return (
    <svg
      class="spark"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      {points.length > 1 && (
        <>
          <polygon points={`${first},${HEIGHT} ${points.join(' ')} ${WIDTH},${HEIGHT}`} class="spark-area" />
          <polyline points={points.join(' ')} class="spark-line" />
        </>
      )}
    </svg>
  );
};
