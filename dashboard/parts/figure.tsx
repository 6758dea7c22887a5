import { Sparkline } from './sparkline.js';

interface FigureProps {
  readonly title: string;
  readonly value: string;
  readonly unit?: string;
  readonly values?: readonly number[];
  readonly note?: string;
  /** The time that the line shows. */
  readonly over?: string;
}

/** A number that moves, and how it moved. */
export const Figure = ({
  title,
  value,
  unit = '',
  values,
  note,
  over = 'the last two minutes',
}: FigureProps) => (
  <div class="figure">
    <dt>{title}</dt>
    <dd>
      <span class="big">{value}</span> <span class="unit">{unit}</span>
      {note !== undefined && <span class="note">{note}</span>}
      {values !== undefined && (
        <Sparkline values={values} label={`${title} over ${over}, now ${value} ${unit}`} />
      )}
    </dd>
  </div>
);
