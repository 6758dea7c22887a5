import { useState } from 'preact/hooks';
import { type StepsAnswer, stepsPath } from '../api/steps-answer.js';
import { useFollowing } from '../state/use-following.js';
import { linkTo } from '../state/use-route.js';
import { JsonTree } from './json-tree.js';
import { markedPaths } from './marked-paths.js';
import { Empty, ProblemNotice } from './notice.js';
import { clockText } from './number-text.js';

interface AgentPastProps {
  readonly module: string;
  readonly agent: string;
  readonly at: number;
  /** The last record that is looked at. */
  readonly lastSeq: number;
}

/** So many records are folded at a time: a player then goes through them without a request for each. */
const WINDOW = 100;

interface PastAt {
  readonly state: unknown;
  readonly before: unknown;
  readonly by: number;
  readonly time: string;
  readonly changes: StepsAnswer['steps'][number]['changes'];
}

const pastAt = ({ base, steps }: StepsAnswer, at: number): PastAt | undefined => {
  const place = steps.findLastIndex(({ seq }) => seq <= at);
  const step = steps[place];
  const before = place > 0 ? steps[place - 1]?.state : base?.state;
  if (step !== undefined) {
    const { seq, time, state, changes } = step;
    return { state, before, by: seq, time, changes };
  }
  return base === null
    ? undefined
    : { state: base.state, before: base.state, by: base.seq, time: base.time, changes: [] };
};

const valueText = (value: unknown): string => {
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  return text.length > 120 ? `${text.slice(0, 119)}…` : text;
};

const Changes = ({ changes }: { readonly changes: PastAt['changes'] }) => (
  <ul class="changes" aria-label="Changes">
    {changes.map(({ path, from, to }) => (
      <li key={path}>
        <code>{path === '' ? 'the state' : path}</code>: <code>{valueText(from)}</code> →{' '}
        <code>{valueText(to)}</code>
      </li>
    ))}
  </ul>
);

/** What an agent was with a record, and what the record changed. */
export const AgentPast = ({ module, agent, at, lastSeq }: AgentPastProps) => {
  const first = Math.floor((at - 1) / WINDOW) * WINDOW + 1;
  // A page that had no room for all of them says where it goes on.
  const [further, setFurther] = useState(0);
  const from = further > first && further <= at ? further : first;
  const to = Math.min(first + WINDOW - 1, lastSeq);
  const answer = useFollowing<StepsAnswer>(stepsPath({ module, agent }, { from, to, limit: WINDOW }));
  const { value, problem, isCurrent } = answer;
  if (isCurrent && value !== undefined && value.next !== null && value.next <= at && value.next !== further)
    setFurther(value.next);
  const past = isCurrent && value !== undefined ? pastAt(value, at) : undefined;
  const isNew = past !== undefined && past.by === at;
  return (
    <section aria-labelledby="past-name" class="detail" aria-busy={!isCurrent}>
      <h2 id="past-name">
        {agent} <span class="note">of {module}</span>
      </h2>
      <ProblemNotice problem={problem} />
      {!isCurrent && <Empty>Folding the log…</Empty>}
      {isCurrent && problem === undefined && past === undefined && (
        <Empty>Nothing had happened to it by then.</Empty>
      )}
      {past !== undefined && (
        <>
          <p class="note" role="status">
            {isNew
              ? past.changes.length === 0
                ? 'This record changed nothing of the state.'
                : 'This record changed:'
              : `This record did not change it. Record ${past.by} did last, ${clockText(past.time)}.`}
          </p>
          {isNew && <Changes changes={past.changes} />}
          <JsonTree
            value={past.state}
            marked={new Set(isNew && past.before !== undefined ? markedPaths(past.before, past.state) : [])}
          />
        </>
      )}
      <p>
        <a href={linkTo('agents', module, agent, at)}>All records of {agent}</a>
      </p>
    </section>
  );
};
