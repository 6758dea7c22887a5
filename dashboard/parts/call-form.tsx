import { useEffect, useId, useState } from 'preact/hooks';
import { type Answer, pathOf, post } from '../api/api-client.js';
import { linkTo } from '../state/use-route.js';
import { whyNotJson } from './json-text.js';
import { JsonTree } from './json-tree.js';
import { ProblemNotice } from './notice.js';
import { exampleOf, type InputSchema } from './schema-form.js';

interface CallFormProps {
  readonly module: string;
  readonly action: string;
  readonly agent: 'required' | 'none' | 'unknown';
  readonly input: InputSchema | undefined;
}

const CallOutcome = ({ answer }: { readonly answer: Answer<{ readonly data: unknown }> }) => {
  if (!answer.ok) return <ProblemNotice problem={answer.problem} />;
  const seq = answer.headers.get('Tally-Cause');
  return (
    <div class="outcome" role="status">
      <p>
        <span class="badge good">ok</span>{' '}
        {seq !== null && <a href={linkTo('conversations', seq)}>command {seq}</a>}
      </p>
      <JsonTree value={answer.value.data} />
    </div>
  );
};

/** Calls one action, and shows its result. What is typed stays, for the next call. */
export const CallForm = ({ module, action, agent, input }: CallFormProps) => {
  const id = useId();
  const [who, setWho] = useState('');
  const [text, setText] = useState('');
  const [busy, setBusy] = useState(false);
  const [answer, setAnswer] = useState<Answer<{ readonly data: unknown }>>();
  // Another action has another example.
  useEffect(() => {
    setText(JSON.stringify(exampleOf(input) ?? {}, null, 2));
    setAnswer(undefined);
  }, [module, action]);
  const wrong = whyNotJson(text);
  const call = async (event: Event): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setAnswer(await post(pathOf(['calls', module, action, ...(who === '' ? [] : [who])]), text));
    setBusy(false);
  };
  return (
    <form class="call" onSubmit={(event) => void call(event)}>
      {agent !== 'none' && (
        <label for={`${id}-agent`}>
          Agent
          <input
            id={`${id}-agent`}
            value={who}
            required={agent === 'required'}
            pattern="[A-Za-z0-9_\-]{1,64}"
            title="1 to 64 letters, digits, _ and -"
            onInput={({ currentTarget }) => setWho(currentTarget.value)}
          />
        </label>
      )}
      <label for={`${id}-input`}>
        Input
        <textarea
          id={`${id}-input`}
          rows={Math.min(12, text.split('\n').length + 1)}
          spellcheck={false}
          value={text}
          aria-invalid={wrong !== undefined}
          aria-describedby={`${id}-wrong`}
          onInput={({ currentTarget }) => setText(currentTarget.value)}
        />
      </label>
      <p id={`${id}-wrong`} class="wrong">
        {wrong}
      </p>
      <button type="submit" class="primary" disabled={busy || wrong !== undefined}>
        {busy ? 'Calling…' : `Call ${module}.${action}`}
      </button>
      {answer !== undefined && <CallOutcome answer={answer} />}
    </form>
  );
};
