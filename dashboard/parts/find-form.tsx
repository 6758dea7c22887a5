import { useEffect, useRef, useState } from 'preact/hooks';
import type { ApiProblem } from '../api/api-client.js';
import { findStep, type WatchedAgent } from '../api/steps-answer.js';
import { ProblemNotice } from './notice.js';
import { countText } from './number-text.js';

interface FindFormProps {
  readonly watched: WatchedAgent;
  readonly where: string;
  readonly onWhere: (where: string) => void;
  readonly at: number;
  readonly onFound: (seq: number) => void;
}

/** Finds the record with which an expression begins to hold. */
export const FindForm = ({ watched, where, onWhere, at, onFound }: FindFormProps) => {
  const [said, setSaid] = useState('');
  const [problem, setProblem] = useState<ApiProblem>();
  const [busy, setBusy] = useState(false);
  const search = useRef<AbortController | undefined>(undefined);
  useEffect(() => () => search.current?.abort(), []);
  const find = async (from: number): Promise<void> => {
    search.current?.abort();
    const mine = new AbortController();
    search.current = mine;
    setBusy(true);
    setProblem(undefined);
    setSaid('Looking…');
    try {
      const onChecked = (checked: number): void => setSaid(`Looked at ${countText(checked)} states…`);
      const outcome = await findStep({ ...watched, where, from }, onChecked, mine.signal);
      if ('problem' in outcome) {
        setProblem(outcome.problem);
        setSaid('');
      } else if (outcome.found === undefined)
        setSaid(`It holds with none of ${countText(outcome.checked)} states.`);
      else {
        const { seq, agent } = outcome.found;
        setSaid(`It holds at record ${seq}, for ${agent}; looked at ${countText(outcome.checked)} states.`);
        onFound(seq);
      }
    } catch {
      setSaid('Stopped.');
    }
    if (search.current === mine) setBusy(false);
  };
  const isReady = where.trim() !== '' && watched.module !== '';
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (isReady) void find(1);
      }}
    >
      <label for="where">
        Break where
        <input
          id="where"
          class="code"
          value={where}
          spellcheck={false}
          autocomplete="off"
          placeholder="state.balance < 0"
          aria-describedby="where-help"
          onInput={({ currentTarget }) => onWhere(currentTarget.value)}
        />
      </label>
      <p id="where-help" class="note">
        An expression of state, before, event, agent, seq and time.{' '}
        {watched.module === '' && 'Choose a module.'}
      </p>
      <div class="actions">
        <button type="submit" class="primary" disabled={!isReady || busy}>
          Find
        </button>
        <button type="button" disabled={!isReady || busy} onClick={() => void find(at + 1)}>
          Find next
        </button>
        {busy && (
          <button type="button" onClick={() => search.current?.abort()}>
            Stop
          </button>
        )}
        <span role="status">{said}</span>
      </div>
      <ProblemNotice problem={problem} />
    </form>
  );
};
