import { Figure } from '../parts/figure.js';
import { useEffect, useState } from 'preact/hooks';
import type { BrokerStatus, ModuleStats, ModuleStatus } from '../../schemas/operate.js';
import { StateBadge } from '../parts/notice.js';
import { ScrollBox } from '../parts/scroll-box.js';
import { bytesText, countText, msText, rateText } from '../parts/number-text.js';
import { Sparkline } from '../parts/sparkline.js';
import {
  addSample,
  callQuantile,
  commandsPerSecond,
  errorsPerSecond,
  lagOf,
  recordsPerSecond,
  type BrokerSample,
  samplesNow,
} from '../state/samples.js';
import { type Trouble, troublesOf } from '../state/troubles.js';
import { useAnswer } from '../state/use-answer.js';
import { linkTo } from '../state/use-route.js';

const EVERY_MS = 2_000;
const DEAD_MS = 10_000;

const useSamples = (): readonly BrokerSample[] => {
  const status = useAnswer<BrokerStatus>('/v1/status', EVERY_MS);
  const stats = useAnswer<{ readonly modules: readonly ModuleStats[] }>('/v1/stats', EVERY_MS);
  const [samples, set] = useState(samplesNow());
  const { value } = status;
  // One sample for each status; the numbers are those of then.
  useEffect(() => {
    if (value === undefined || stats.value === undefined) return;
    set(
      addSample({
        atMs: performance.now(),
        status: value,
        stats: stats.value.modules,
      }),
    );
  }, [value, stats.value === undefined]);
  return samples;
};

const Troubles = ({ troubles }: { readonly troubles: readonly Trouble[] }) =>
  troubles.length === 0 ? (
    <p class="notice good">Nothing is wrong.</p>
  ) : (
    <ul class="troubles">
      {troubles.map(({ level, text, todo, link }) => (
        <li key={text} class={`notice ${level}`}>
          <strong>{text}.</strong> {todo} {link !== undefined && <a href={linkTo(...link)}>Show it</a>}
        </li>
      ))}
    </ul>
  );

const LogBar = ({ log }: { readonly log: BrokerStatus['log'] }) => {
  const percent = log.maxBytes > 0 ? (100 * log.bytes) / log.maxBytes : 0;
  return (
    <div class="figure">
      <dt>Log</dt>
      <dd>
        <span class="big">{bytesText(log.bytes)}</span>{' '}
        <span class="note">
          of {bytesText(log.maxBytes)}, {countText(log.records)} records
        </span>
        <meter
          min={0}
          max={100}
          high={80}
          low={60}
          optimum={0}
          value={percent}
          aria-label="How full the log is"
        >
          {percent.toFixed(1)} %
        </meter>
      </dd>
    </div>
  );
};

const ModuleRow = ({
  status,
  samples,
}: {
  readonly status: ModuleStatus;
  readonly samples: readonly BrokerSample[];
}) => {
  const { name, state, lag, eventsWaiting = 0, asleep = 0, cpuPercent, rssBytes, restarts } = status;
  const rates = commandsPerSecond(samples, name);
  const rate = rateText(rates.at(-1) ?? 0);
  return (
    <tr>
      <th scope="row">
        <a href={linkTo('modules', name)}>{name}</a>
      </th>
      <td>
        <StateBadge state={state} />
      </td>
      <td class="number">
        <span class="with-spark">
          {rate}
          <Sparkline values={rates} label={`Commands per second of ${name}, now ${rate}`} />
        </span>
      </td>
      <td class="number">{countText(lag + eventsWaiting)}</td>
      <td class="number">{countText(asleep)}</td>
      <td class="number">{cpuPercent === null ? '–' : `${cpuPercent.toFixed(0)} %`}</td>
      <td class="number">{rssBytes === null ? '–' : bytesText(rssBytes)}</td>
      <td class="number">{restarts}</td>
    </tr>
  );
};

export const NowView = () => {
  const samples = useSamples();
  const dead = useAnswer<{
    readonly letters: readonly { readonly redriven: readonly number[] }[];
  }>('/v1/dead', DEAD_MS);
  const last = samples.at(-1);
  if (last === undefined)
    return (
      <>
        <h1>Now</h1>
        <p class="empty">Asking the broker…</p>
      </>
    );
  const { status } = last;
  const letters = dead.value?.letters.filter(({ redriven }) => redriven.length === 0).length ?? 0;
  const [commands, records, errors] = [
    commandsPerSecond(samples),
    recordsPerSecond(samples),
    errorsPerSecond(samples),
  ];
  const [p50, p99] = [callQuantile(samples, 0.5), callQuantile(samples, 0.99)];
  const quantile = (ms: number | undefined): string => (ms === undefined ? '–' : `≤ ${msText(ms)}`);
  return (
    <>
      <h1>Now</h1>
      <Troubles troubles={troublesOf(status, letters, Date.now())} />
      <dl class="figures">
        <Figure title="Commands" value={rateText(commands.at(-1) ?? 0)} unit="/s" values={commands} />
        <Figure title="Records" value={rateText(records.at(-1) ?? 0)} unit="/s" values={records} />
        <Figure title="Errors" value={rateText(errors.at(-1) ?? 0)} unit="/s" values={errors} />
        <Figure
          title="Waiting commands"
          value={countText(lagOf(samples).at(-1) ?? 0)}
          values={lagOf(samples)}
        />
        <Figure title="Half of the calls take" value={quantile(p50)} note={`99 of 100 ${quantile(p99)}`} />
        <LogBar log={status.log} />
        <Figure title="Agents" value={countText(status.agents)} />
        <Figure title="Open conversations" value={countText(status.conversationsOpen)} />
      </dl>
      <h2>Modules</h2>
      <ScrollBox label="Modules">
        <table>
          <thead>
            <tr>
              <th scope="col">Module</th>
              <th scope="col">State</th>
              <th scope="col" class="number">
                Commands/s
              </th>
              <th scope="col" class="number">
                Waiting
              </th>
              <th scope="col" class="number">
                Asleep
              </th>
              <th scope="col" class="number">
                CPU
              </th>
              <th scope="col" class="number">
                Memory
              </th>
              <th scope="col" class="number">
                Restarts
              </th>
            </tr>
          </thead>
          <tbody>
            {status.modules.map((each) => (
              <ModuleRow key={each.name} status={each} samples={samples} />
            ))}
          </tbody>
        </table>
      </ScrollBox>
    </>
  );
};
