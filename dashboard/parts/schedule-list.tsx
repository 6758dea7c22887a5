import { useState } from 'preact/hooks';
import type { Schedule, ScheduleDetails, SchedulePage } from '../../schemas/schedule.js';
import { pathOf } from '../api/api-client.js';
import { useAnswer } from '../state/use-answer.js';
import { usePages } from '../state/use-pages.js';
import { ActButton } from './act-button.js';
import { JsonTree } from './json-tree.js';
import { Empty, ProblemNotice } from './notice.js';
import { momentText, msText } from './number-text.js';
import { Pager } from './pager.js';

const EVERY_MS = 5_000;

const whenText = ({ at, everyMs, cron, timezone }: Schedule): string => {
  if (everyMs !== null) return `every ${msText(everyMs)}`;
  if (cron !== null) return `${cron}, ${timezone ?? 'UTC'}`;
  return at === null ? '' : 'once';
};

const OneSchedule = ({ id }: { readonly id: string }) => {
  const { value, problem } = useAnswer<ScheduleDetails & { readonly data?: unknown }>(
    pathOf(['schedules', id]),
  );
  return (
    <>
      <ProblemNotice problem={problem} />
      {value !== undefined && <JsonTree value={value} name={id} />}
    </>
  );
};

const ScheduleCard = ({ schedule, ended }: { readonly schedule: Schedule; readonly ended: () => void }) => {
  const [isOpen, setOpen] = useState(false);
  const { id, module, action, agent, sender, next } = schedule;
  return (
    <li class="card">
      <h3>
        {module}.{action} {agent}
      </h3>
      <p>
        {whenText(schedule)}; next {momentText(next)}
      </p>
      <p class="note">
        {id}, from {sender}
      </p>
      <div class="actions">
        <button type="button" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
          {isOpen ? 'Hide' : 'Show'}
          <span class="unseen"> schedule {id}</span>
        </button>
        <ActButton
          label="End"
          of={`schedule ${id}`}
          path={pathOf(['schedules', id, 'cancel'])}
          body={{}}
          question={`End the schedule ${id}? It sends nothing more.`}
          isDanger
          done={ended}
        />
      </div>
      {isOpen && <OneSchedule id={id} />}
    </li>
  );
};

/** Commands that are sent later. */
export const ScheduleList = () => {
  const pages = usePages<SchedulePage>('schedules', EVERY_MS, ({ schedules }) => schedules.length);
  const { value, problem, again } = pages;
  return (
    <section aria-labelledby="schedules-name">
      <h2 id="schedules-name">Schedules</h2>
      <ProblemNotice problem={problem} />
      {value?.schedules.length === 0 && <Empty>None.</Empty>}
      <ul class="cards">
        {value?.schedules.map((schedule) => (
          <ScheduleCard key={schedule.id} schedule={schedule} ended={again} />
        ))}
      </ul>
      <Pager of="schedules" pages={pages} />
    </section>
  );
};
