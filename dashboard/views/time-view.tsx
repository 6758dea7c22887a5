import { useEffect, useState } from 'preact/hooks';
import type { ModuleStatus } from '../../schemas/operate.js';
import type { HistoryLine } from '../../schemas/record.js';
import { pathOf } from '../api/api-client.js';
import { findStep, type WatchedAgent } from '../api/steps-answer.js';
import type { ViewProps } from '../app.js';
import { AgentPast } from '../parts/agent-past.js';
import { FindForm } from '../parts/find-form.js';
import { JsonTree } from '../parts/json-tree.js';
import { Empty, ProblemNotice } from '../parts/notice.js';
import { clockText, countText } from '../parts/number-text.js';
import { type LogTimes, RateChart } from '../parts/rate-chart.js';
import { ScrollBox } from '../parts/scroll-box.js';
import { useAnswer } from '../state/use-answer.js';
import { useFollowing } from '../state/use-following.js';
import { useRecordsNear } from '../state/use-records-near.js';
import { linkTo } from '../state/use-route.js';

const SPEEDS = [1, 2, 5, 10, 25] as const;

const sequenceOf = (text: string | undefined): number | undefined =>
  text !== undefined && /^[1-9]\d{0,14}$/.test(text) ? Number(text) : undefined;

const RecordThen = ({ record, at }: { readonly record: HistoryLine; readonly at: number }) => {
  const { seq, time, kind, module, name, agent, sender, conversation, data } = record;
  return (
    <section class="detail" aria-labelledby="record-name">
      <h2 id="record-name">
        Record {seq} <span class={`kind kind-${kind}`}>{kind}</span>
      </h2>
      <p class="note">
        {seq < at && 'The last one before. '}
        {new Date(time).toLocaleDateString('en-GB')} {clockText(time)}, from {sender}
      </p>
      <p>
        {module === null ? name : `${module}.${name}`} {agent}
      </p>
      <JsonTree value={data} name="data" />
      {conversation !== null && (
        <p>
          <a href={linkTo('conversations', conversation)}>Conversation {conversation}</a>
        </p>
      )}
    </section>
  );
};

interface CountsAnswer {
  readonly at: number;
  readonly modules: readonly {
    readonly module: string;
    readonly commands: number;
    readonly results: number;
    readonly events: number;
  }[];
}

/** How far each module had come. */
const CountsThen = ({ at }: { readonly at: number }) => {
  const { value, problem, isCurrent } = useFollowing<CountsAnswer>(pathOf(['log', 'counts'], { at }));
  return (
    <section aria-labelledby="counts-name" aria-busy={!isCurrent}>
      <h2 id="counts-name">Modules at record {value?.at ?? at}</h2>
      <ProblemNotice problem={problem} />
      {value !== undefined && (
        <ScrollBox label="Modules then">
          <table>
            <thead>
              <tr>
                <th scope="col">Module</th>
                <th scope="col" class="number">
                  Commands
                </th>
                <th scope="col" class="number">
                  With a result
                </th>
                <th scope="col" class="number">
                  Without
                </th>
                <th scope="col" class="number">
                  Events
                </th>
              </tr>
            </thead>
            <tbody>
              {value.modules.map(({ module, commands, results, events }) => (
                <tr key={module}>
                  <th scope="row">{module}</th>
                  <td class="number">{countText(commands)}</td>
                  <td class="number">{countText(results)}</td>
                  <td class="number">{countText(Math.max(0, commands - results))}</td>
                  <td class="number">{countText(events)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </ScrollBox>
      )}
    </section>
  );
};

interface WhoseProps {
  readonly names: readonly string[];
  readonly watched: WatchedAgent;
  readonly onWatched: (watched: WatchedAgent) => void;
}

/** Whose records are stepped through, and whose states an expression is about. */
const Whose = ({ names, watched: { module, agent }, onWatched }: WhoseProps) => (
  <div class="whose">
    <label for="time-module">
      Module
      <select
        id="time-module"
        value={module}
        onChange={({ currentTarget }) => onWatched({ module: currentTarget.value, agent: '' })}
      >
        <option value="">all</option>
        {names.map((name) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
    </label>
    <label for="time-agent">
      Agent
      <input
        id="time-agent"
        value={agent}
        placeholder="all"
        disabled={module === ''}
        onChange={({ currentTarget }) =>
          onWatched({ module, agent: currentTarget.value.replace(/[^A-Za-z0-9_-]/g, '') })
        }
      />
    </label>
  </div>
);

interface PlayerProps {
  readonly times: LogTimes;
  readonly at: number;
  readonly earlier: number | undefined;
  readonly later: number | undefined;
  readonly time: string | undefined;
  /** Where to stop; undefined: at the end. */
  readonly stopAt: number | undefined;
  readonly onGo: (seq: number) => void;
  /** Before it plays: finds where to stop. */
  readonly onPlay: () => Promise<void>;
  readonly onEnd: () => void;
}

/** The slider over the log, and what moves it. */
const Player = ({ times, at, earlier, later, time, stopAt, onGo, onPlay, onEnd }: PlayerProps) => {
  const [isPlaying, setPlaying] = useState(false);
  const [speed, setSpeed] = useState<number>(SPEEDS[1]);
  useEffect(() => {
    if (!isPlaying) return;
    if (later === undefined || at === stopAt) {
      // The next records may be on their way.
      if (at >= times.lastSeq || at === stopAt) setPlaying(false);
      return;
    }
    const timer = setTimeout(() => onGo(later), 1_000 / speed);
    return () => clearTimeout(timer);
  }, [isPlaying, at, later, speed, stopAt]);
  const go = (seq: number | undefined): void => {
    setPlaying(false);
    if (seq !== undefined) onGo(seq);
  };
  return (
    <>
      <RateChart times={times} at={at} />
      <input
        class="over-log"
        type="range"
        aria-label="Record of the log"
        aria-valuetext={`record ${at}${time === undefined ? '' : `, ${clockText(time)}`}`}
        min={times.firstSeq}
        max={times.lastSeq}
        value={at}
        onInput={({ currentTarget }) => go(Number(currentTarget.value))}
      />
      <div class="actions player">
        <button type="button" disabled={earlier === undefined} onClick={() => go(earlier)}>
          Back
        </button>
        <button
          type="button"
          class="primary"
          disabled={!isPlaying && later === undefined}
          onClick={() => (isPlaying ? setPlaying(false) : void onPlay().then(() => setPlaying(true)))}
        >
          {isPlaying ? 'Pause' : 'Play'}
        </button>
        <button type="button" disabled={later === undefined} onClick={() => go(later)}>
          Forward
        </button>
        <label for="speed" class="inline">
          Speed
          <select
            id="speed"
            value={speed}
            onChange={({ currentTarget }) => setSpeed(Number(currentTarget.value))}
          >
            {SPEEDS.map((each) => (
              <option key={each} value={each}>
                {each} {each === 1 ? 'record' : 'records'} per second
              </option>
            ))}
          </select>
        </label>
        <button type="button" onClick={onEnd}>
          To the end
        </button>
        <span class="place" role="status">
          Record {at} of {times.lastSeq}
        </span>
      </div>
    </>
  );
};

/** Everything as it was at one record of the log. */
export const TimeView = ({ route: [place, routeModule = '', routeAgent = ''] }: ViewProps) => {
  const list = useAnswer<{ readonly modules: readonly ModuleStatus[] }>('/v1/modules');
  const { value: times, problem, again } = useAnswer<LogTimes>('/v1/log/times');
  const [wanted, setWanted] = useState(sequenceOf(place));
  const [watched, setWatched] = useState<WatchedAgent>({ module: routeModule, agent: routeAgent });
  const [where, setWhere] = useState('');
  const [stopAt, setStopAt] = useState<number>();
  useEffect(() => setWanted(sequenceOf(place)), [place]);
  useEffect(() => setWatched({ module: routeModule, agent: routeAgent }), [routeModule, routeAgent]);
  const lastSeq = Math.max(times?.lastSeq ?? 0, 0);
  const at = Math.max(times?.firstSeq ?? 1, Math.min(wanted ?? lastSeq, lastSeq));
  const { record, earlier, later, problem: unread } = useRecordsNear(at, lastSeq, watched);
  const { module, agent } = watched;
  const go = (seq: number): void => {
    setWanted(seq);
    // The address follows, without a way back through each step.
    history.replaceState(
      null,
      '',
      linkTo('time', seq, ...(module === '' ? [] : [module, ...(agent === '' ? [] : [agent])])),
    );
  };
  const whereToStop = async (): Promise<void> => {
    setStopAt(undefined);
    if (where.trim() === '' || module === '') return;
    const sought = { ...watched, where, from: at + 1 };
    const outcome = await findStep(sought, () => undefined, new AbortController().signal);
    if ('found' in outcome) setStopAt(outcome.found?.seq);
  };
  // An agent that is chosen stays in view; else it is the one of the record.
  const shown = agent === '' ? { module: record?.module ?? '', agent: record?.agent ?? '' } : watched;
  return (
    <>
      <h1>Time machine</h1>
      <ProblemNotice problem={list.problem ?? problem ?? unread} />
      {times !== undefined && times.lastSeq === 0 && <Empty>The log has no record yet.</Empty>}
      {times !== undefined && times.lastSeq > 0 && (
        <>
          <Player
            {...{ times, at, earlier, later, stopAt }}
            time={record?.time}
            onGo={go}
            onPlay={whereToStop}
            onEnd={() => {
              setWanted(undefined);
              again();
            }}
          />
          <div class="search">
            <Whose
              names={list.value?.modules.map(({ name }) => name) ?? []}
              watched={watched}
              onWatched={setWatched}
            />
            <FindForm
              {...{ watched, where, at }}
              onWhere={setWhere}
              onFound={(seq) => {
                setStopAt(undefined);
                go(seq);
              }}
            />
          </div>
          <div class="halves">
            {record === undefined ? (
              <Empty>No such record at this place or before it.</Empty>
            ) : (
              <RecordThen record={record} at={at} />
            )}
            {shown.module === '' || shown.agent === '' ? (
              <Empty>This record is of no agent.</Empty>
            ) : (
              <AgentPast key={`${shown.module}/${shown.agent}`} {...{ ...shown, at, lastSeq }} />
            )}
          </div>
          <CountsThen at={at} />
        </>
      )}
    </>
  );
};
