import { useRef, useState } from 'preact/hooks';
import { pastedSeed, setToken } from '../api/kept-token.js';

/** A token is typed once, and kept until the tab is closed. */
export const TokenDialog = ({ token }: { readonly token: string }) => {
  const dialog = useRef<HTMLDialogElement>(null);
  const [text, setText] = useState('');
  const seed = pastedSeed(text);
  const use = (event: Event): void => {
    event.preventDefault();
    if (seed === '') return;
    setToken(seed);
    setText('');
    dialog.current?.close();
  };
  return (
    <div class="who">
      <span>{token === '' ? 'guest' : 'with a token'}</span>
      {token === '' ? (
        <button type="button" onClick={() => dialog.current?.showModal()}>
          Use a token
        </button>
      ) : (
        <button type="button" onClick={() => setToken('')}>
          Forget it
        </button>
      )}
      <dialog ref={dialog} aria-labelledby="token-title">
        <form onSubmit={use}>
          <h2 id="token-title">Use a token</h2>
          <p>
            Paste the token file, or its last line. It stays in this tab, and is forgotten when you close the
            tab.
          </p>
          <pre>npx tallystick token create me --allow 'operate reader'{'\n'}cat me.token</pre>
          <label for="token">
            Token
            <textarea
              id="token"
              class="secret"
              rows={3}
              autocomplete="off"
              spellcheck={false}
              value={text}
              aria-describedby="token-wrong"
              onInput={({ currentTarget }) => setText(currentTarget.value)}
            />
          </label>
          <p id="token-wrong" class="wrong">
            {text !== '' && seed === '' ? 'This has no seed: it begins with SU and has 58 characters.' : ''}
          </p>
          <div class="actions">
            <button type="submit" class="primary" disabled={seed === ''}>
              Use it
            </button>
            <button type="button" onClick={() => dialog.current?.close()}>
              Cancel
            </button>
          </div>
        </form>
      </dialog>
    </div>
  );
};
