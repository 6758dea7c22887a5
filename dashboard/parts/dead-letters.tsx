import { useState } from 'preact/hooks';
import type { DeadDetails, DeadPage, DeadSummary } from '../../schemas/dead.js';
import { pathOf } from '../api/api-client.js';
import { useAnswer } from '../state/use-answer.js';
import { usePages } from '../state/use-pages.js';
import { linkTo } from '../state/use-route.js';
import { ActButton } from './act-button.js';
import { JsonTree } from './json-tree.js';
import { Empty, ProblemNotice } from './notice.js';
import { momentText } from './number-text.js';
import { OutputText } from './output-text.js';
import { Pager } from './pager.js';

const EVERY_MS = 5_000;

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
  const [isOpen, setOpen] = useState(false);
  const { command, time, module, action, agent, sender, attempts, error } = letter;
  const isAgain = letter.redriven.length > 0;
  return (
    <li class="card">
      <h3>
        {module}.{action} {agent}
      </h3>
      <p>
        <strong>{error.code}</strong> {error.message}
      </p>
      <p class="note">
        <a href={linkTo('conversations', command)}>Command {command}</a> from {sender}, {momentText(time)},{' '}
        {attempts} {attempts === 1 ? 'try' : 'tries'}
        {isAgain && ', redriven'}
      </p>
      <div class="actions">
        <button type="button" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
          {isOpen ? 'Hide' : 'Show'}
          <span class="unseen"> dead letter {command}</span>
        </button>
        <ActButton
          label={isAgain ? 'Redrive again' : 'Redrive'}
          of={`dead letter ${command}`}
          path="/v1/dead/redrive"
          body={{ seqs: [command], ...(isAgain ? { again: true } : {}) }}
          done={redriven}
          wrongIn={notRedriven}
        />
      </div>
      {isOpen && <Letter command={command} />}
    </li>
  );
};

/** Commands that a module could not handle. */
export const DeadLetters = () => {
  const pages = usePages<DeadPage>('dead', EVERY_MS, ({ letters }) => letters.length);
  const { value, problem, again } = pages;
  return (
    <section aria-labelledby="dead-name">
      <h2 id="dead-name">Dead letters</h2>
      <ProblemNotice problem={problem} />
      {value?.letters.length === 0 && <Empty>None: each module handled its commands.</Empty>}
      <ul class="cards">
        {value?.letters.map((letter) => (
          <LetterCard key={letter.command} letter={letter} redriven={again} />
        ))}
      </ul>
      <Pager of="dead letters" pages={pages} />
    </section>
  );
};
