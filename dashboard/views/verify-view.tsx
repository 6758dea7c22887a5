import { useState } from 'preact/hooks';
import type { Certificate, Verification } from '../../schemas/verification.js';
import { type ApiProblem, pathOf, post } from '../api/api-client.js';
import type { ViewProps } from '../app.js';
import { CertificateCard } from '../parts/certificate-card.js';
import { Empty, ProblemNotice, StateBadge } from '../parts/notice.js';
import { countText } from '../parts/number-text.js';
import { ScrollBox } from '../parts/scroll-box.js';
import { useAnswer } from '../state/use-answer.js';
import { linkTo } from '../state/use-route.js';
import { Facts } from '../parts/facts.js';

interface VerifyAnswer {
  readonly id: string;
  readonly state: 'running' | 'done' | 'failed';
  readonly read: number | null;
  readonly toSeq: number | null;
  readonly verification: Verification | null;
  readonly certificate: Certificate | null;
  readonly problem: ApiProblem | null;
}

const EVERY_MS = 500;

const StartForm = () => {
  const [from, setFrom] = useState('');
  const [to, setTo] = useState('');
  const [problem, setProblem] = useState<ApiProblem>();
  const [isSigned, setSigned] = useState(false);
  const [busy, setBusy] = useState(false);
  const start = async (event: Event): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    const range = {
      ...(from === '' ? {} : { from }),
      ...(to === '' ? {} : { to }),
      ...(isSigned ? { certificate: true } : {}),
    };
    const answer = await post<VerifyAnswer>('/v1/verifications', JSON.stringify(range));
    setBusy(false);
    setProblem(answer.ok ? undefined : answer.problem);
    if (answer.ok) location.hash = linkTo('verify', answer.value.id);
  };
  return (
    <form onSubmit={(event) => void start(event)}>
      <p>
        It proves that no record is lost, duplicated, reordered or changed. Without a range, it reads the
        whole log.
      </p>
      <div class="range">
        <label for="from">
          From
          <input
            id="from"
            value={from}
            placeholder="17, 2h, or a time"
            onInput={({ currentTarget }) => setFrom(currentTarget.value.trim())}
          />
        </label>
        <label for="to">
          To
          <input
            id="to"
            value={to}
            placeholder="the end of the log"
            onInput={({ currentTarget }) => setTo(currentTarget.value.trim())}
          />
        </label>
        <label for="signed" class="check">
          <input
            id="signed"
            type="checkbox"
            checked={isSigned}
            onInput={({ currentTarget }) => setSigned(currentTarget.checked)}
          />
          With a certificate
        </label>
        <button type="submit" class="primary" disabled={busy}>
          Verify
        </button>
      </div>
      <ProblemNotice problem={problem} />
    </form>
  );
};

const Counts = ({ found }: { readonly found: Verification }) => {
  const facts: readonly (readonly [string, string])[] = [
    ['Records', countText(found.records)],
    ['Range', `${found.firstSeq} to ${found.lastSeq}`],
    ['Commands', countText(found.commands)],
    ['Results', countText(found.results)],
    ['Events', countText(found.events)],
    ['Producers', countText(found.producers)],
    ['Without a result yet', countText(found.unanswered)],
    ['Time', `${found.seconds.toFixed(1)} s`],
  ];
  return <Facts facts={facts} />;
};

const Findings = ({ found }: { readonly found: Verification }) =>
  found.findings.length === 0 ? (
    <p class="notice good">No record is lost, duplicated, reordered or changed.</p>
  ) : (
    <>
      <p class="notice bad">
        <strong>{countText(found.findingsTotal)} findings</strong>
        {found.findingsTotal > found.findings.length && `, the first ${found.findings.length} below`}
      </p>
      <ScrollBox label="Findings">
        <table>
          <thead>
            <tr>
              <th scope="col">Kind</th>
              <th scope="col">Record</th>
              <th scope="col">Producer</th>
              <th scope="col">What</th>
            </tr>
          </thead>
          <tbody>
            {found.findings.map(({ kind, seq, producer, detail }, i) => (
              <tr key={i}>
                <td>{kind}</td>
                <td>{seq === 0 ? '–' : <a href={linkTo('time', seq)}>{seq}</a>}</td>
                <td>{producer}</td>
                <td>{detail}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollBox>
    </>
  );

const OneVerification = ({ id }: { readonly id: string }) => {
  const [ended, setEnded] = useState(false);
  const { value, problem } = useAnswer<VerifyAnswer>(
    pathOf(['verifications', id]),
    ended ? undefined : EVERY_MS,
  );
  if (value !== undefined && value.state !== 'running' && !ended) setEnded(true);
  if (value === undefined)
    return problem === undefined ? <Empty>Asking…</Empty> : <ProblemNotice problem={problem} />;
  const { state, read, toSeq, verification } = value;
  return (
    <section class="detail" aria-labelledby="verification-name">
      <h2 id="verification-name">
        Verification <StateBadge state={state} />
      </h2>
      {state === 'running' && (
        <label for="verify-progress">
          {read === null ? 'It begins' : `Record ${countText(read)} of ${countText(toSeq ?? 0)}`}
          <progress id="verify-progress" max={toSeq ?? 1} value={read ?? 0} />
        </label>
      )}
      <ProblemNotice problem={value.problem ?? problem} />
      {verification !== null && (
        <>
          <Findings found={verification} />
          <Counts found={verification} />
          <h3 class="section">Digest</h3>
          <p>
            <code>{verification.digest}</code>
          </p>
          {value.certificate !== null && <CertificateCard certificate={value.certificate} />}
          {verification.notes.length > 0 && (
            <>
              <h3 class="section">Not checked</h3>
              <ul>
                {verification.notes.map((note) => (
                  <li key={note}>{note}</li>
                ))}
              </ul>
            </>
          )}
        </>
      )}
    </section>
  );
};

/** Verifications of the log, as `replay verify` has them. */
export const VerifyView = ({ route: [id] }: ViewProps) => (
  <>
    <h1>Verify</h1>
    <StartForm />
    {id !== undefined && <OneVerification key={id} id={id} />}
  </>
);
