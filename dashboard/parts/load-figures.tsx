import type { LoadMoment } from '../../schemas/burst.js';
import { Figure } from './figure.js';
import { countText, rateText } from './number-text.js';

/** What a second at the newest moment had, of a count that rises. */
const ratesOf = (moments: readonly LoadMoment[], of: (moment: LoadMoment) => number): readonly number[] =>
  moments.slice(1).map((moment, i) => {
    const before = moments[i] as LoadMoment;
    return Math.max(0, ((of(moment) - of(before)) * 1_000) / Math.max(1, moment.atMs - before.atMs));
  });

/** How a load stands and stood, while it runs. */
export const LoadFigures = ({ moments }: { readonly moments: readonly LoadMoment[] }) => {
  const last = moments.at(-1);
  const total = (count: number): string => `${countText(count)} in all`;
  const rate = (title: string, of: (moment: LoadMoment) => number) => {
    const values = ratesOf(moments, of);
    return (
      <Figure
        title={title}
        value={rateText(values.at(-1) ?? 0)}
        unit="/s"
        values={values}
        over="the burst"
        note={total(last === undefined ? 0 : of(last))}
      />
    );
  };
  const backlog = moments.map((moment) => moment.backlog);
  return (
    <dl class="figures">
      {rate('Offered', ({ offered }) => offered)}
      {rate('Acknowledged', ({ acked }) => acked)}
      {rate('Delivered', ({ delivered }) => delivered)}
      <Figure title="Backlog" value={countText(backlog.at(-1) ?? 0)} values={backlog} over="the burst" />
    </dl>
  );
};
