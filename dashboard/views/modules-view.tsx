import { useState } from 'preact/hooks';
import type { ModuleInfo, ModuleStats, ModuleStatus } from '../../schemas/operate.js';
import { type ApiProblem, pathOf, post } from '../api/api-client.js';
import type { ViewProps } from '../app.js';
import { CallForm } from '../parts/call-form.js';
import { LogLines } from '../parts/log-lines.js';
import { Empty, ProblemNotice, StateBadge } from '../parts/notice.js';
import { bytesText, countText, msText } from '../parts/number-text.js';
import { OutputText } from '../parts/output-text.js';
import { type InputSchema, schemaText } from '../parts/schema-form.js';
import { useAnswer } from '../state/use-answer.js';
import { linkTo } from '../state/use-route.js';

const EVERY_MS = 3_000;

interface ChangeProps {
  readonly name: string;
  readonly state: string;
  readonly changed: () => void;
}

/** What an operator with `operate admin` does with a module. */
const ModuleChanges = ({ name, state, changed }: ChangeProps) => {
  const [busy, setBusy] = useState<string>();
  const [problem, setProblem] = useState<ApiProblem>();
  const [said, setSaid] = useState('');
  const does = async (verb: 'reload' | 'unload'): Promise<void> => {
    setBusy(verb);
    setSaid('');
    const answer = await post<ModuleStatus>(pathOf(['modules', name, verb]), '{}');
    setProblem(answer.ok ? undefined : answer.problem);
    if (answer.ok) setSaid(`${name} is ${answer.value.state}.`);
    setBusy(undefined);
    changed();
  };
  return (
    <>
      <div class="actions">
        <button type="button" disabled={busy !== undefined} onClick={() => void does('reload')}>
          {busy === 'reload' ? 'Reloading…' : 'Reload'}
        </button>
        <button
          type="button"
          class="danger"
          disabled={busy !== undefined || state === 'unloaded'}
          onClick={() => confirm(`Unload ${name}? It finishes what it handles.`) && void does('unload')}
        >
          {busy === 'unload' ? 'Unloading…' : 'Unload'}
        </button>
        <span role="status">{said}</span>
      </div>
      <ProblemNotice problem={problem} />
    </>
  );
};

const LoadForm = ({ loaded }: { readonly loaded: () => void }) => {
  const [dir, setDir] = useState('');
  const [grant, setGrant] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<ApiProblem>();
  const load = async (event: Event): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    const answer = await post<ModuleStatus>('/v1/modules', JSON.stringify({ dir, grant }));
    setBusy(false);
    setProblem(answer.ok ? undefined : answer.problem);
    if (!answer.ok) return;
    setDir('');
    loaded();
    location.hash = linkTo('modules', answer.value.name);
  };
  return (
    <details class="load">
      <summary>Load a module</summary>
      <form onSubmit={(event) => void load(event)}>
        <label for="dir">
          Directory on the machine of the broker
          <input id="dir" required value={dir} onInput={({ currentTarget }) => setDir(currentTarget.value)} />
        </label>
        <label for="grant" class="check">
          <input
            id="grant"
            type="checkbox"
            checked={grant}
            onInput={({ currentTarget }) => setGrant(currentTarget.checked)}
          />
          Give its cage what its manifest asks for
        </label>
        <button type="submit" class="primary" disabled={busy}>
          {busy ? 'Loading…' : 'Load'}
        </button>
        <ProblemNotice problem={problem} />
      </form>
    </details>
  );
};

const Facts = ({ info }: { readonly info: ModuleInfo }) => {
  const facts: readonly (readonly [string, string])[] = [
    ['Version', info.version],
    ['Process', info.pid === null ? 'none' : `${info.pid}`],
    ['Memory', info.rssBytes === null ? '–' : bytesText(info.rssBytes)],
    ['CPU', info.cpuPercent === null ? '–' : `${info.cpuPercent.toFixed(0)} %`],
    ['Waiting', countText(info.lag)],
    ['Restarts', `${info.restarts}`],
    ['Directory', info.dir],
  ];
  return (
    <dl class="facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd class={name.toLowerCase()}>{value}</dd>
        </div>
      ))}
    </dl>
  );
};

interface ActionProps {
  readonly info: ModuleInfo;
  readonly stats: ModuleStats | undefined;
  readonly chosen: string | undefined;
}

const Actions = ({ info, stats, chosen }: ActionProps) => {
  const { actions, name } = info.manifest;
  return (
    <ul class="cards">
      {Object.entries(actions).map(([action, about]) => {
        const numbers = stats?.actions.find((each) => each.action === action);
        const input = about.input as InputSchema;
        return (
          <li key={action} class="card">
            <h3>
              {action} {about.agent !== 'none' && <span class="note">of an agent</span>}
            </h3>
            {about.description !== undefined && <p>{about.description}</p>}
            <p class="schema">
              <code>{schemaText(input)}</code> → <code>{schemaText(about.output as InputSchema)}</code>
            </p>
            {numbers !== undefined && (
              <p class="note">
                {countText(numbers.commands)} commands, {countText(numbers.calls)} calls,{' '}
                {countText(numbers.errors)} errors, {msText(numbers.meanMs)} on average
              </p>
            )}
            {chosen === action ? (
              <CallForm
                module={name}
                action={action}
                agent={about.agent === 'none' ? 'none' : 'required'}
                input={input}
              />
            ) : (
              <a class="button" href={linkTo('modules', name, action)}>
                Call {action}
              </a>
            )}
          </li>
        );
      })}
    </ul>
  );
};

const OneModule = ({
  name,
  action,
  changed,
}: {
  readonly name: string;
  readonly action: string | undefined;
  readonly changed: () => void;
}) => {
  const info = useAnswer<ModuleInfo>(pathOf(['modules', name]), EVERY_MS);
  const stats = useAnswer<{ readonly modules: readonly ModuleStats[] }>(
    pathOf(['modules', name, 'stats']),
    EVERY_MS,
  );
  const { value } = info;
  if (value === undefined) return <ProblemNotice problem={info.problem} />;
  return (
    <section aria-labelledby="module-name" class="detail">
      <h2 id="module-name">
        {name} <StateBadge state={value.state} />
      </h2>
      <p>{value.manifest.description}</p>
      {value.reason !== null && <p class="notice warn">{value.reason}</p>}
      <ModuleChanges
        name={name}
        state={value.state}
        changed={() => {
          info.again();
          changed();
        }}
      />
      <Facts info={value} />
      <h3 class="section">Actions</h3>
      <Actions info={value} stats={stats.value?.modules[0]} chosen={action} />
      {Object.keys(value.manifest.events).length > 0 && (
        <>
          <h3 class="section">Events</h3>
          <ul class="plain">
            {Object.entries(value.manifest.events).map(([event, { data }]) => (
              <li key={event}>
                <strong>{event}</strong> <code>{schemaText(data as InputSchema)}</code>
              </li>
            ))}
          </ul>
        </>
      )}
      <h3 class="section">Log lines</h3>
      <LogLines key={name} module={name} />
      {value.output.length > 0 && (
        <>
          <h3 class="section">Last lines of the process that ended</h3>
          <OutputText label="Last lines of the process" text={value.output.join('\n')} />
        </>
      )}
    </section>
  );
};

export const ModulesView = ({ route: [name, action] }: ViewProps) => {
  const list = useAnswer<{ readonly modules: readonly ModuleStatus[] }>('/v1/modules', EVERY_MS);
  return (
    <>
      <h1>Modules</h1>
      <ProblemNotice problem={list.problem} />
      <div class="split">
        <div class="side">
          <ul class="picks" aria-label="Modules">
            {list.value?.modules.map((each) => (
              <li key={each.name}>
                <a href={linkTo('modules', each.name)} aria-current={each.name === name ? 'true' : undefined}>
                  {each.name} <StateBadge state={each.state} />
                </a>
              </li>
            ))}
          </ul>
          <LoadForm loaded={list.again} />
        </div>
        {name === undefined ? (
          <Empty>Choose a module.</Empty>
        ) : (
          <OneModule key={name} name={name} action={action} changed={list.again} />
        )}
      </div>
    </>
  );
};
