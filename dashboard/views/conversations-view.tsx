import { useState } from 'preact/hooks';
import type { OpenConversation } from '../../schemas/conversation.js';
import type { HistoryLine } from '../../schemas/record.js';
import { pathOf } from '../api/api-client.js';
import { type PlacedRecord, placedRecords, type TraceAnswer } from '../api/trace-answer.js';
import type { ViewProps } from '../app.js';
import { ActButton } from '../parts/act-button.js';
import { JsonTree } from '../parts/json-tree.js';
import { Empty, ProblemNotice, StateBadge } from '../parts/notice.js';
import { countText, msText, clockText } from '../parts/number-text.js';
import { ScrollBox } from '../parts/scroll-box.js';
import { SequenceDiagram } from '../parts/sequence-diagram.js';
import { Timeline } from '../parts/timeline.js';
import { useAnswer } from '../state/use-answer.js';
import { linkTo } from '../state/use-route.js';

const EVERY_MS = 3_000;
const RECENT = 200;
const SHOWN = 40;
/** A diagram of more is no picture any more. */
const DRAWN = 200;

interface Recent {
  readonly conversation: number;
  readonly time: string;
  readonly what: string;
  readonly commands: number;
}

/** The conversations of the newest commands, the newest first. */
const recentOf = (records: readonly HistoryLine[]): readonly Recent[] => {
  const found = new Map<number, Recent>();
  for (const { conversation, time, module, name, agent } of records) {
    if (conversation === null) continue;
    const known = found.get(conversation);
    const what = known?.what ?? `${module}.${name}${agent === null ? '' : ` ${agent}`}`;
    found.set(conversation, {
      conversation,
      time,
      what,
      commands: (known?.commands ?? 0) + 1,
    });
  }
  return [...found.values()].sort((one, other) => other.conversation - one.conversation).slice(0, SHOWN);
};

const RecentPicks = ({ chosen }: { readonly chosen: number | undefined }) => {
  const { value, problem } = useAnswer<{
    readonly records: readonly HistoryLine[];
  }>(pathOf(['records'], { kind: 'cmd', last: RECENT }), EVERY_MS);
  const recent = recentOf(value?.records ?? []);
  return (
    <>
      <h2>Recent</h2>
      <ProblemNotice problem={problem} />
      {value !== undefined && recent.length === 0 && <Empty>The log has no command yet.</Empty>}
      <ul class="picks" aria-label="Recent conversations">
        {recent.map(({ conversation, time, what }) => (
          <li key={conversation}>
            <a
              href={linkTo('conversations', conversation)}
              aria-current={conversation === chosen ? 'true' : undefined}
            >
              <span>
                <span class="seq">{conversation}</span> {what}
              </span>
              <span class="note">{clockText(time)}</span>
            </a>
          </li>
        ))}
      </ul>
    </>
  );
};

const OpenPicks = ({ chosen }: { readonly chosen: number | undefined }) => {
  const { value, problem } = useAnswer<{
    readonly conversations: readonly OpenConversation[];
    readonly count: number;
  }>(pathOf(['conversations'], { limit: SHOWN }), EVERY_MS);
  return (
    <>
      <h2>Open</h2>
      <ProblemNotice problem={problem} />
      {value !== undefined && (
        <p class="note" role="status">
          {value.count === 0
            ? 'None: each command has its result.'
            : `${countText(value.count)}, the oldest first`}
        </p>
      )}
      <ul class="picks" aria-label="Open conversations">
        {value?.conversations.map(({ conversation, commands, participants }) => (
          <li key={conversation}>
            <a
              href={linkTo('conversations', conversation)}
              aria-current={conversation === chosen ? 'true' : undefined}
            >
              <span>
                <span class="seq">{conversation}</span> {participants.join(', ')}
              </span>
              <span class="badge warn">{commands} open</span>
            </a>
          </li>
        ))}
      </ul>
    </>
  );
};

const RecordCard = ({ record }: PlacedRecord) => {
  const { seq, kind, module, name, agent, sender, time, outcome, error, data, resultData, result, tookMs } =
    record;
  return (
    <details class="record">
      <summary>
        <span class="seq">{seq}</span>
        <span class={`kind kind-${kind}`}>{kind}</span>
        <span>
          {module}.{name} {agent}
        </span>
        {outcome !== undefined && <StateBadge state={outcome} />}
        <span class="note">{typeof tookMs === 'number' ? msText(tookMs) : clockText(time)}</span>
      </summary>
      <p class="note">
        {time}, from {sender}
      </p>
      <JsonTree value={data} name="data" />
      {error != null && (
        <p class="notice warn">
          <strong>{error.code}</strong> {error.message}
        </p>
      )}
      {outcome === 'open' && (
        <div class="actions">
          <ActButton
            label="Cancel"
            of={`command ${seq}`}
            path={pathOf(['commands', seq, 'cancel'])}
            body={{}}
            question={`Cancel command ${seq}, ${module}.${name}? Its handler compensates, or ends.`}
            isDanger
            done={() => undefined}
          />
        </div>
      )}
      {result != null && <JsonTree value={resultData ?? null} name={`result ${result}`} />}
    </details>
  );
};

const OneConversation = ({ seq }: { readonly seq: number }) => {
  const [shape, setShape] = useState<'sequence' | 'timeline'>('sequence');
  const trace = useAnswer<TraceAnswer>(pathOf(['records', seq, 'trace']), EVERY_MS);
  const { value } = trace;
  if (value === undefined)
    return (
      <section class="detail">
        <ProblemNotice problem={trace.problem} />
        {trace.problem === undefined && <Empty>Reading the log…</Empty>}
      </section>
    );
  const records = placedRecords(value.tree);
  const drawn = records.slice(0, DRAWN);
  return (
    <section class="detail" aria-labelledby="conversation-name">
      <h2 id="conversation-name">
        Conversation {value.conversation}{' '}
        {Object.entries(value.outcomes).map(([outcome, count]) => (
          <span key={outcome} class="outcomes">
            {count > 1 ? `${count} ` : ''}
            <StateBadge state={outcome} />
          </span>
        ))}
      </h2>
      <p class="note">
        {countText(value.records)} records, {countText(value.commands)} commands, {msText(value.spanMs)},
        since {value.began}
      </p>
      <fieldset class="actions bare">
        <legend class="unseen">Picture</legend>
        <button type="button" aria-pressed={shape === 'sequence'} onClick={() => setShape('sequence')}>
          Sequence
        </button>
        <button type="button" aria-pressed={shape === 'timeline'} onClick={() => setShape('timeline')}>
          Timeline
        </button>
      </fieldset>
      <ScrollBox label="Picture of the conversation" kind="picture">
        {shape === 'sequence' ? (
          <SequenceDiagram records={drawn} />
        ) : (
          <Timeline records={drawn} spanMs={value.spanMs} />
        )}
      </ScrollBox>
      {drawn.length < records.length && (
        <p class="note">
          The picture has the first {DRAWN} of {countText(records.length)} records.
        </p>
      )}
      <h3 class="section">Records</h3>
      {records.map((each) => (
        <RecordCard key={each.record.seq} {...each} />
      ))}
    </section>
  );
};

export const ConversationsView = ({ route: [text] }: ViewProps) => {
  const [typed, setTyped] = useState('');
  const seq = text !== undefined && /^[1-9]\d*$/.test(text) ? Number(text) : undefined;
  const find = (event: Event): void => {
    event.preventDefault();
    if (/^[1-9]\d*$/.test(typed)) location.hash = linkTo('conversations', typed);
  };
  return (
    <>
      <h1>Conversations</h1>
      <div class="split">
        <div class="side">
          <form class="find" onSubmit={find}>
            <label for="seq">
              Of record
              <input
                id="seq"
                inputMode="numeric"
                placeholder="sequence"
                value={typed}
                onInput={({ currentTarget }) => setTyped(currentTarget.value.trim())}
              />
            </label>
            <button type="submit">Show</button>
          </form>
          <OpenPicks chosen={seq} />
          <RecentPicks chosen={seq} />
        </div>
        {seq === undefined ? <Empty>Choose a conversation.</Empty> : <OneConversation key={seq} seq={seq} />}
      </div>
    </>
  );
};
