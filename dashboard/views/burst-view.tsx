import { useEffect, useState } from 'preact/hooks';
import type { BurstJob, BurstReport, BurstRequest } from '../../schemas/burst.js';
import { type ApiProblem, pathOf, post } from '../api/api-client.js';
import type { ViewProps } from '../app.js';
import { BurstForm } from '../parts/burst-form.js';
import { LoadFigures } from '../parts/load-figures.js';
import { Empty, ProblemNotice, StateBadge } from '../parts/notice.js';
import { countText } from '../parts/number-text.js';
import { useAnswer } from '../state/use-answer.js';
import { linkTo } from '../state/use-route.js';
import { Facts } from '../parts/facts.js';

type BurstAnswer = BurstJob<ApiProblem>;

const EVERY_MS = 500;
const LIST_MS = 3_000;

const words = ({ kind, rate, seconds, kill }: BurstRequest): string =>
  `${countText(rate)} ${kind} a second for ${seconds} s${kill === undefined ? '' : `, ${kill}`}`;

/** An image can run no script, whatever is in it. */
const Picture = ({ svg, text }: { readonly svg: string; readonly text: string }) => {
  const [url, setUrl] = useState<string>();
  useEffect(() => {
    const made = URL.createObjectURL(new Blob([svg], { type: 'image/svg+xml' }));
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [svg]);
  if (url === undefined) return null;
  return (
    <>
      <h3 class="section">The picture</h3>
      <img class="burst-picture" src={url} alt={`Rate, backlog and latency over time: ${text}`} />
      <p>
        <a class="button" href={url} download="burst.svg">
          Download the picture
        </a>
      </p>
    </>
  );
};

const ReportOf = ({ report }: { readonly report: BurstReport }) => (
  <>
    {report.ok ? (
      <p class="notice good">The log has every acknowledged record once, in order.</p>
    ) : (
      <ul class="notice bad">
        {report.reasons.map((reason) => (
          <li key={reason}>{reason}</li>
        ))}
      </ul>
    )}
    <Facts
      facts={[
        ['Offered', countText(report.offered)],
        ['Acknowledged', countText(report.acked)],
        ['Delivered', countText(report.delivered)],
        ['Lost', countText(report.lost)],
        ['Duplicated', countText(report.duplicated)],
        ['Reordered', countText(report.reordered)],
        ['Acknowledged a second', countText(Math.round(report.achievedRate))],
        ['Recovery', report.recoverySeconds === null ? 'none' : `${report.recoverySeconds.toFixed(1)} s`],
      ]}
    />
  </>
);

const OneBurst = ({ id, changed }: { readonly id: string; readonly changed: () => void }) => {
  const [ended, setEnded] = useState(false);
  const [problem, setProblem] = useState<ApiProblem>();
  const burst = useAnswer<BurstAnswer>(pathOf(['bursts', id]), ended ? undefined : EVERY_MS);
  const { value } = burst;
  const isOver = value !== undefined && value.state !== 'running';
  useEffect(() => {
    if (!isOver) return;
    setEnded(true);
    changed();
  }, [isOver]);
  if (value === undefined)
    return burst.problem === undefined ? <Empty>Asking…</Empty> : <ProblemNotice problem={burst.problem} />;
  const cancel = async (): Promise<void> => {
    const answer = await post<BurstAnswer>(pathOf(['bursts', id, 'cancel']), '{}');
    setProblem(answer.ok ? undefined : answer.problem);
    burst.again();
  };
  return (
    <section class="detail" aria-labelledby="burst-name">
      <h2 id="burst-name">
        Burst <StateBadge state={value.state} />
      </h2>
      <p>
        {words(value.request)}
        {value.state === 'running' && <span class="note">: {value.stage}</span>}
      </p>
      {value.state === 'running' && (
        <div class="actions">
          <button type="button" class="danger" onClick={() => void cancel()}>
            Cancel
          </button>
        </div>
      )}
      <ProblemNotice problem={value.problem ?? problem ?? burst.problem} />
      {value.report === null ? <LoadFigures moments={value.moments} /> : <ReportOf report={value.report} />}
      {value.faults.length > 0 && (
        <ul class="plain">
          {value.faults.map((each) => (
            <li key={each}>{each}</li>
          ))}
        </ul>
      )}
      {value.picture !== null && value.picture !== '' && (
        <Picture svg={value.picture} text={words(value.request)} />
      )}
    </section>
  );
};

/** The burst-loss test, on a separate broker. */
export const BurstView = ({ route: [id] }: ViewProps) => {
  const list = useAnswer<{
    readonly bursts: readonly Pick<BurstAnswer, 'id' | 'state' | 'request'>[];
  }>('/v1/bursts', LIST_MS);
  return (
    <>
      <h1>Burst</h1>
      <ProblemNotice problem={list.problem} />
      <BurstForm
        started={(started) => {
          list.again();
          location.hash = linkTo('burst', started);
        }}
      />
      {id !== undefined && <OneBurst key={id} id={id} changed={list.again} />}
      {(list.value?.bursts.length ?? 0) > 0 && (
        <ul class="picks" aria-label="Bursts">
          {list.value?.bursts.map((each) => (
            <li key={each.id}>
              <a href={linkTo('burst', each.id)} aria-current={each.id === id ? 'true' : undefined}>
                {words(each.request)} <StateBadge state={each.state} />
              </a>
            </li>
          ))}
        </ul>
      )}
    </>
  );
};
