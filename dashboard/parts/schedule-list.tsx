import type { Schedule, ScheduleDetails, SchedulePage } from '../../schemas/schedule.js';
import { pathOf } from '../api/api-client.js';
import { useAnswer } from '../state/use-answer.js';
import { ActButton } from './act-button.js';
import { Card, CardList } from './card-list.js';
import { JsonTree } from './json-tree.js';
import { ProblemNotice } from './notice.js';
import { momentText, msText } from './number-text.js';

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
  const { id, module, action, agent, sender, next } = schedule;
  const end = (
    <ActButton
      label="End"
      of={`schedule ${id}`}
      path={pathOf(['schedules', id, 'cancel'])}
      body={{}}
      question={`End the schedule ${id}? It sends nothing more.`}
      isDanger
      done={ended}
    />
  );
  return (
    <Card
      title={
        <>
          {module}.{action} {agent}
        </>
      }
      of={`schedule ${id}`}
      action={end}
      details={() => <OneSchedule id={id} />}
    >
      <p>
        {whenText(schedule)}; next {momentText(next)}
      </p>
      <p class="note">
        {id}, from {sender}
      </p>
    </Card>
  );
};

/** Commands that are sent later. */
export const ScheduleList = () => (
  <CardList
    name="schedules"
    title="Schedules"
    none="None."
    itemsOf={({ schedules }: SchedulePage) => schedules}
    cardOf={(schedule, ended) => <ScheduleCard key={schedule.id} schedule={schedule} ended={ended} />}
  />
);
