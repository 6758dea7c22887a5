import type { DeadDetails, DeadPage, DeadSummary } from '../../schemas/dead.js';
import { pathOf } from '../api/api-client.js';
import { useAnswer } from '../state/use-answer.js';
import { linkTo } from '../state/use-route.js';
import { ActButton } from './act-button.js';
import { Card, CardList } from './card-list.js';
import { JsonTree } from './json-tree.js';
import { ProblemNotice } from './notice.js';
import { momentText } from './number-text.js';
import { OutputText } from './output-text.js';

const Letter = ({ command }: { readonly command: number }) => {
  const { value, problem } = useAnswer<DeadDetails>(pathOf(['dead', command]));
  return (
    <>
      <ProblemNotice problem={problem} />
      {value !== undefined && (
        <>
          <JsonTree value={value.payload} name="payload" />
          {value.stack !== undefined && (
            <OutputText label={`Where command ${command} failed`} text={value.stack} />
          )}
          {value.redriven.length > 0 && (
            <p class="note">
              Redriven by{' '}
              {value.redriven.map(({ command: again, status, code }) => (
                <span key={again}>
                  <a href={linkTo('conversations', again)}>command {again}</a> ({code ?? status}){' '}
                </span>
              ))}
            </p>
          )}
        </>
      )}
    </>
  );
};

/** What one of the answers says that went wrong. */
const notRedriven = (value: unknown): string | undefined => {
  const { answers = [] } = value as {
    readonly answers?: readonly { readonly error?: { message: string } }[];
  };
  return answers.find(({ error }) => error !== undefined)?.error?.message;
};

const LetterCard = ({
  letter,
  redriven,
}: {
  readonly letter: DeadSummary;
  readonly redriven: () => void;
}) => {
  const { command, time, module, action, agent, sender, attempts, error } = letter;
  const isAgain = letter.redriven.length > 0;
  const redrive = (
    <ActButton
      label={isAgain ? 'Redrive again' : 'Redrive'}
      of={`dead letter ${command}`}
      path="/v1/dead/redrive"
      body={{ seqs: [command], ...(isAgain ? { again: true } : {}) }}
      done={redriven}
      wrongIn={notRedriven}
    />
  );
  return (
    <Card
      title={
        <>
          {module}.{action} {agent}
        </>
      }
      of={`dead letter ${command}`}
      action={redrive}
      details={() => <Letter command={command} />}
    >
      <p>
        <strong>{error.code}</strong> {error.message}
      </p>
      <p class="note">
        <a href={linkTo('conversations', command)}>Command {command}</a> from {sender}, {momentText(time)},{' '}
        {attempts} {attempts === 1 ? 'try' : 'tries'}
        {isAgain && ', redriven'}
      </p>
    </Card>
  );
};

/** Commands that a module could not handle. */
export const DeadLetters = () => (
  <CardList
    name="dead"
    title="Dead letters"
    none="None: each module handled its commands."
    itemsOf={({ letters }: DeadPage) => letters}
    cardOf={(letter, redriven) => <LetterCard key={letter.command} letter={letter} redriven={redriven} />}
  />
);
