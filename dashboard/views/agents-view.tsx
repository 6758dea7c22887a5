import { useEffect, useState } from 'preact/hooks';
import type { ModuleStatus } from '../../schemas/operate.js';
import type { HistoryLine } from '../../schemas/record.js';
import { pathOf } from '../api/api-client.js';
import type { ViewProps } from '../app.js';
import { markedPaths } from '../parts/marked-paths.js';
import { JsonTree } from '../parts/json-tree.js';
import { Empty, ProblemNotice } from '../parts/notice.js';
import { countText, clockText } from '../parts/number-text.js';
import { useAnswer } from '../state/use-answer.js';
import { linkTo } from '../state/use-route.js';

interface ListedAgents {
  readonly agents: readonly {
    readonly agent: string;
    readonly seq: number;
    readonly time: string;
  }[];
  readonly next: string | null;
  readonly count?: number;
}

interface StateAnswer {
  readonly seq: number;
  readonly time: string;
  readonly schema: number;
  readonly state: unknown;
  readonly at?: number;
}

interface RecordPage {
  readonly records: readonly HistoryLine[];
  readonly previous: number | null;
}

const PAGE = 50;
const EVERY_MS = 3_000;
const TYPING_MS = 250;

/** What was typed, once the typing has stopped. */
const useSettled = (text: string): string => {
  const [settled, set] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => set(text), TYPING_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return settled;
};

const AgentPicks = ({ module, agent }: { readonly module: string; readonly agent: string | undefined }) => {
  const [typed, setTyped] = useState('');
  const [after, setAfter] = useState<string>();
  const [where, setWhere] = useState('');
  const [prefix, condition] = [useSettled(typed), useSettled(where)];
  const query = {
    prefix,
    after,
    limit: PAGE,
    ...(condition.includes('=') ? { where: condition } : {}),
  };
  const list = useAnswer<ListedAgents>(pathOf(['agents', module], query), EVERY_MS);
  const { value } = list;
  return (
    <div class="side">
      <label for="prefix">
        Name begins with
        <input
          id="prefix"
          type="search"
          value={typed}
          onInput={({ currentTarget }) => {
            setTyped(currentTarget.value.replace(/[^A-Za-z0-9_-]/g, ''));
            setAfter(undefined);
          }}
        />
      </label>
      <label for="where">
        State has FIELD=VALUE
        <input
          id="where"
          type="search"
          value={where}
          placeholder="a field in `index` of the manifest"
          onInput={({ currentTarget }) => {
            setWhere(currentTarget.value);
            setAfter(undefined);
          }}
        />
      </label>
      <ProblemNotice problem={list.problem} />
      {value !== undefined && (
        <>
          <p class="note" role="status">
            {value.agents.length} on this page
            {value.count === undefined ? '' : `, ${countText(value.count)} in all`}
          </p>
          {value.agents.length === 0 && <Empty>No agent fits.</Empty>}
          <ul class="picks" aria-label="Agents">
            {value.agents.map((each) => (
              <li key={each.agent}>
                <a
                  href={linkTo('agents', module, each.agent)}
                  aria-current={each.agent === agent ? 'true' : undefined}
                >
                  {each.agent} <span class="note">{each.seq}</span>
                </a>
              </li>
            ))}
          </ul>
          <div class="actions">
            {after !== undefined && (
              <button type="button" onClick={() => setAfter(undefined)}>
                First page
              </button>
            )}
            {value.next !== null && (
              <button type="button" onClick={() => setAfter(value.next ?? undefined)}>
                Next page
              </button>
            )}
          </div>
        </>
      )}
    </div>
  );
};

interface HistoryProps {
  readonly module: string;
  readonly agent: string;
  readonly at: number | undefined;
  readonly records: readonly HistoryLine[];
}

const AgentHistory = ({ module, agent, at, records }: HistoryProps) => (
  <ol class="history" aria-label={`Records of ${agent}, the newest first`}>
    {records.toReversed().map(({ seq, time, kind, name, data }) => (
      <li key={seq}>
        <a href={linkTo('agents', module, agent, seq)} aria-current={seq === at ? 'true' : undefined}>
          <span class="seq">{seq}</span>
          <span class={`kind kind-${kind}`}>{kind}</span>
          <span>{name}</span>
          <span class="note">{clockText(time)}</span>
          <code class="clip">{JSON.stringify(data)}</code>
        </a>
      </li>
    ))}
  </ol>
);

const PastState = ({
  module,
  agent,
  at,
}: {
  readonly module: string;
  readonly agent: string;
  readonly at: number;
}) => {
  const now = useAnswer<StateAnswer>(pathOf(['agents', module, agent], { at }));
  const before = useAnswer<StateAnswer>(
    at > 1 ? pathOf(['agents', module, agent], { at: at - 1 }) : undefined,
  );
  const isFirst = before.problem?.code === 'AGENT_UNKNOWN' || at === 1;
  const isKnown = isFirst || before.value !== undefined;
  const marked = isKnown && now.value !== undefined ? markedPaths(before.value?.state, now.value.state) : [];
  return (
    <>
      <h3 class="section">State at {at}</h3>
      <ProblemNotice problem={now.problem} />
      {now.value === undefined && now.problem === undefined && <Empty>Folding the log…</Empty>}
      {now.value !== undefined && (
        <>
          <p class="note" role="status">
            {!isKnown
              ? ''
              : isFirst
                ? 'The first record of this agent.'
                : marked.length === 0
                  ? 'This record changed nothing of the state.'
                  : `This record changed ${marked.length === 1 ? 'the marked place' : `the ${marked.length} marked places`}.`}
          </p>
          <JsonTree value={now.value.state} marked={new Set(isFirst ? [] : marked)} />
        </>
      )}
      <p>
        <a href={linkTo('agents', module, agent)}>Back to the state of now</a>{' '}
        <a href={linkTo('time', at, module, agent)}>Open the time machine here</a>
      </p>
    </>
  );
};

const StateNow = ({ module, agent }: { readonly module: string; readonly agent: string }) => {
  const { value, problem } = useAnswer<StateAnswer>(pathOf(['agents', module, agent]), EVERY_MS);
  return (
    <>
      <h3 class="section">State now</h3>
      <ProblemNotice problem={problem} />
      {value !== undefined && (
        <>
          <p class="note">
            Changed by record {value.seq}, {clockText(value.time)}; schema {value.schema}
          </p>
          <JsonTree value={value.state} />
          <p>
            <a href={linkTo('time', value.seq, module, agent)}>Open the time machine here</a>
          </p>
        </>
      )}
    </>
  );
};

const OneAgent = ({
  module,
  agent,
  at,
}: {
  readonly module: string;
  readonly agent: string;
  readonly at: number | undefined;
}) => {
  const [last, setLast] = useState(PAGE);
  const history = useAnswer<RecordPage>(pathOf(['records'], { module, agent, last }), EVERY_MS);
  const records = history.value?.records ?? [];
  const place = records.findIndex(({ seq }) => seq === at);
  const go = (index: number): void => {
    const found = records[index];
    if (found !== undefined) location.hash = linkTo('agents', module, agent, found.seq);
  };
  return (
    <section class="detail" aria-labelledby="agent-name">
      <h2 id="agent-name">{agent}</h2>
      {at === undefined ? (
        <StateNow module={module} agent={agent} />
      ) : (
        <PastState module={module} agent={agent} at={at} />
      )}
      <h3 class="section">History</h3>
      <ProblemNotice problem={history.problem} />
      {records.length > 0 && (
        <div class="slider">
          <button
            type="button"
            disabled={place === 0}
            onClick={() => go(place < 0 ? records.length - 1 : place - 1)}
          >
            Earlier
          </button>
          <input
            type="range"
            aria-label="Record"
            aria-valuetext={`record ${records[place < 0 ? records.length - 1 : place]?.seq}`}
            min={0}
            max={records.length - 1}
            value={place < 0 ? records.length - 1 : place}
            onChange={({ currentTarget }) => go(Number(currentTarget.value))}
          />
          <button
            type="button"
            disabled={place < 0 || place === records.length - 1}
            onClick={() => go(place + 1)}
          >
            Later
          </button>
        </div>
      )}
      <AgentHistory module={module} agent={agent} at={at} records={records} />
      {history.value?.previous != null && last < 1_000 && (
        <button type="button" onClick={() => setLast(Math.min(1_000, last * 2))}>
          Show earlier records
        </button>
      )}
    </section>
  );
};

export const AgentsView = ({ route: [module, agent, at] }: ViewProps) => {
  const list = useAnswer<{ readonly modules: readonly ModuleStatus[] }>('/v1/modules');
  const names = list.value?.modules.map(({ name }) => name) ?? [];
  const chosen = module ?? names[0];
  return (
    <>
      <h1>Agents</h1>
      <ProblemNotice problem={list.problem} />
      <label for="module" class="inline">
        Module{' '}
        <select
          id="module"
          value={chosen}
          onChange={({ currentTarget }) => {
            location.hash = linkTo('agents', currentTarget.value);
          }}
        >
          {names.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      {chosen !== undefined && (
        <div class="split">
          <AgentPicks key={chosen} module={chosen} agent={agent} />
          {agent === undefined ? (
            <Empty>Choose an agent.</Empty>
          ) : (
            <OneAgent
              key={agent}
              module={chosen}
              agent={agent}
              at={at === undefined || !/^[1-9]\d*$/.test(at) ? undefined : Number(at)}
            />
          )}
        </div>
      )}
    </>
  );
};
