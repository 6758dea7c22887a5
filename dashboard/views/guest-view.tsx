import { useState } from 'preact/hooks';
import type { ApiProblem } from '../api/api-client.js';
import { CallForm } from '../parts/call-form.js';

const ADDRESS = /^([A-Za-z0-9_-]{1,64})\.([A-Za-z0-9_-]{1,64})$/;

interface GuestViewProps {
  readonly problem: ApiProblem | undefined;
  readonly hasToken: boolean;
}

/** For those who may not look: how to get a token, and what they may do without one. */
export const GuestView = ({ problem, hasToken }: GuestViewProps) => {
  const [text, setText] = useState('');
  const [, module, action] = ADDRESS.exec(text) ?? [];
  return (
    <div class="narrow">
      <h1>{hasToken ? 'This token may not look' : 'You are a guest'}</h1>
      <p>
        {hasToken
          ? `The broker says: ${problem?.detail}. What is shown here takes the grant “operate reader”.`
          : 'What is shown here is for operators. On the machine of the broker, make a token and paste it above:'}
      </p>
      <pre>npx tallystick token create me --allow 'operate reader'{'\n'}cat me.token</pre>
      <h2>Call an action</h2>
      <p>You may call what the broker allows to {hasToken ? 'this token' : 'guests'}.</p>
      <label for="address">
        Action, as MODULE.ACTION
        <input
          id="address"
          value={text}
          placeholder="accounts.deposit"
          onInput={({ currentTarget }) => setText(currentTarget.value.trim())}
        />
      </label>
      {module !== undefined && action !== undefined && (
        <CallForm module={module} action={action} agent="unknown" input={undefined} />
      )}
    </div>
  );
};
