import type { Sleeping } from '../../schemas/sleeping.js';
import { pathOf } from '../api/api-client.js';
import { useAnswer } from '../state/use-answer.js';
import { linkTo } from '../state/use-route.js';
import { ActButton } from './act-button.js';
import type { SignalTarget } from './end-wait-forms.js';
import { Empty, ProblemNotice } from './notice.js';
import { countText, momentText } from './number-text.js';
import { ScrollBox } from './scroll-box.js';

const EVERY_MS = 3_000;
const SHOWN = 100;

interface SleepingProps {
  readonly onSignal: (target: SignalTarget) => void;
}

const Row = ({
  wait,
  ended,
  onSignal,
}: SleepingProps & { readonly wait: Sleeping; readonly ended: () => void }) => {
  const { command, module, action, agent, waitsFor, signal, since, until } = wait;
  return (
    <tr>
      <th scope="row">
        <a href={linkTo('conversations', command)}>
          {module}.{action} {agent}
        </a>
      </th>
      <td>{waitsFor === 'signal' ? `signal ${signal}` : waitsFor === 'promise' ? 'a promise' : 'time'}</td>
      <td>{momentText(since)}</td>
      <td>{until === null ? 'for ever' : momentText(until)}</td>
      <td>
        <div class="actions tight">
          {signal !== null && agent !== null && (
            <button type="button" onClick={() => onSignal({ module, agent, name: signal })}>
              Send {signal}
              <span class="unseen"> to {agent}</span>
            </button>
          )}
          <ActButton
            label="Cancel"
            of={`command ${command}`}
            path={pathOf(['commands', command, 'cancel'])}
            body={{}}
            question={`Cancel command ${command}, ${module}.${action}? Its handler compensates, or ends.`}
            isDanger
            done={ended}
          />
        </div>
      </td>
    </tr>
  );
};

/** Handlers that wait, the first that is due at the top. */
export const SleepingHandlers = ({ onSignal }: SleepingProps) => {
  const { value, problem, again } = useAnswer<{
    readonly waits: readonly Sleeping[];
    readonly count: number;
  }>(pathOf(['waits'], { limit: SHOWN }), EVERY_MS);
  return (
    <section aria-labelledby="sleeping-name">
      <h2 id="sleeping-name">Sleeping handlers</h2>
      <ProblemNotice problem={problem} />
      {value !== undefined && (
        <p class="note" role="status">
          {value.count === 0
            ? 'None waits for time, a signal or a promise.'
            : `${countText(value.count)} ${value.count === 1 ? 'wait' : 'waits'}${value.count > value.waits.length ? `, the first ${value.waits.length} that are due` : ''}`}
        </p>
      )}
      {value !== undefined && value.waits.length > 0 ? (
        <ScrollBox label="Handlers that wait">
          <table>
            <thead>
              <tr>
                <th scope="col">Handler</th>
                <th scope="col">Waits for</th>
                <th scope="col">Since</th>
                <th scope="col">Until</th>
                <th scope="col">End it</th>
              </tr>
            </thead>
            <tbody>
              {value.waits.map((wait) => (
                <Row key={`${wait.command}/${wait.call}`} {...{ wait, onSignal }} ended={again} />
              ))}
            </tbody>
          </table>
        </ScrollBox>
      ) : (
        value === undefined && problem === undefined && <Empty>Reading…</Empty>
      )}
    </section>
  );
};
