import { useId, useState } from 'preact/hooks';
import { type Answer, pathOf, post } from '../api/api-client.js';
import { whyNotJson } from './json-text.js';
import { ProblemNotice } from './notice.js';

interface SentProps {
  readonly answer: Answer<unknown> | undefined;
  readonly text: string;
}

const Sent = ({ answer, text }: SentProps) =>
  answer === undefined ? null : answer.ok ? (
    <p class="notice good" role="status">
      {text}
    </p>
  ) : (
    <ProblemNotice problem={answer.problem} />
  );

interface ValueProps {
  readonly id: string;
  readonly label: string;
  readonly text: string;
  readonly onText: (text: string) => void;
}

const ValueField = ({ id, label, text, onText }: ValueProps) => (
  <>
    <label for={id}>
      {label}
      <textarea
        id={id}
        rows={2}
        spellcheck={false}
        value={text}
        aria-describedby={`${id}-wrong`}
        onInput={({ currentTarget }) => onText(currentTarget.value)}
      />
    </label>
    <p id={`${id}-wrong`} class="wrong">
      {text === '' ? '' : whyNotJson(text)}
    </p>
  </>
);

const NAME = '[A-Za-z0-9_\\-]{1,64}';
const NAME_TITLE = '1 to 64 letters, digits, _ and -';

/** Where a signal goes. */
export interface SignalTarget {
  readonly module: string;
  readonly agent: string;
  readonly name: string;
}

/** Sends a signal to an agent. */
export const SignalForm = ({
  target,
  sent,
}: {
  readonly target: SignalTarget;
  readonly sent: () => void;
}) => {
  const id = useId();
  const [to, setTo] = useState(target);
  const [text, setText] = useState('');
  const [answer, setAnswer] = useState<Answer<unknown>>();
  const send = async (event: Event): Promise<void> => {
    event.preventDefault();
    const said = await post(pathOf(['signals', to.module, to.agent, to.name]), text);
    setAnswer(said);
    if (said.ok) sent();
  };
  const fields = [
    ['module', 'Module of the signal'],
    ['agent', 'Agent of the signal'],
    ['name', 'Name of the signal'],
  ] as const;
  return (
    <form onSubmit={(event) => void send(event)}>
      {fields.map(([key, label]) => (
        <label key={key} for={`${id}-${key}`}>
          {label}
          <input
            id={`${id}-${key}`}
            required
            pattern={NAME}
            title={NAME_TITLE}
            value={to[key]}
            onInput={({ currentTarget }) => setTo({ ...to, [key]: currentTarget.value.trim() })}
          />
        </label>
      ))}
      <ValueField id={`${id}-data`} label="Data, as JSON" text={text} onText={setText} />
      <button type="submit" class="primary" disabled={text !== '' && whyNotJson(text) !== undefined}>
        Send the signal
      </button>
      <Sent answer={answer} text="The signal is stored." />
    </form>
  );
};

/** Ends a promise by its id. */
export const PromiseForm = ({ ended }: { readonly ended: () => void }) => {
  const id = useId();
  const [promise, setPromise] = useState('');
  const [text, setText] = useState('');
  const [answer, setAnswer] = useState<Answer<unknown>>();
  const end = async (verb: 'resolve' | 'reject'): Promise<void> => {
    // The reason of a rejection is text.
    const body = verb === 'reject' ? JSON.stringify(text) : text;
    const said = await post(pathOf(['promises', promise, verb]), body);
    setAnswer(said);
    if (said.ok) ended();
  };
  return (
    <form onSubmit={(event) => event.preventDefault()}>
      <label for={`${id}-id`}>
        Id of the promise
        <input
          id={`${id}-id`}
          class="code"
          autocomplete="off"
          value={promise}
          onInput={({ currentTarget }) => setPromise(currentTarget.value.trim())}
        />
      </label>
      <label for={`${id}-value`}>
        Value as JSON, or the reason of a rejection
        <textarea
          id={`${id}-value`}
          rows={2}
          spellcheck={false}
          value={text}
          onInput={({ currentTarget }) => setText(currentTarget.value)}
        />
      </label>
      <div class="actions">
        <button
          type="button"
          class="primary"
          disabled={promise === '' || (text !== '' && whyNotJson(text) !== undefined)}
          onClick={() => void end('resolve')}
        >
          Resolve
        </button>
        <button type="button" class="danger" disabled={promise === ''} onClick={() => void end('reject')}>
          Reject
        </button>
      </div>
      <Sent answer={answer} text="The promise is ended." />
    </form>
  );
};
