import { useState } from 'preact/hooks';
import { type ApiProblem, post } from '../api/api-client.js';

interface ActButtonProps {
  readonly label: string;
  /** What it is about, for people who hear the button alone. */
  readonly of: string;
  readonly path: string;
  readonly body: object;
  /** The question before it; undefined: it is done at once. */
  readonly question?: string;
  readonly isDanger?: boolean;
  readonly done: () => void;
  /** What the answer says that went wrong, though it is an answer. */
  readonly wrongIn?: (value: unknown) => string | undefined;
}

/** Does one thing, and says why it could not. */
export const ActButton = ({
  label,
  of,
  path,
  body,
  question,
  isDanger = false,
  done,
  wrongIn,
}: ActButtonProps) => {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Pick<ApiProblem, 'code' | 'detail'>>();
  const act = async (): Promise<void> => {
    if (question !== undefined && !confirm(question)) return;
    setBusy(true);
    const answer = await post<unknown>(path, JSON.stringify(body));
    setBusy(false);
    const wrong = answer.ok ? wrongIn?.(answer.value) : undefined;
    setProblem(
      answer.ok ? (wrong === undefined ? undefined : { code: 'Not done:', detail: wrong }) : answer.problem,
    );
    if (answer.ok) done();
  };
  return (
    <>
      <button type="button" class={isDanger ? 'danger' : ''} disabled={busy} onClick={() => void act()}>
        {label}
        <span class="unseen"> {of}</span>
      </button>
      {problem !== undefined && (
        <span class="wrong" role="alert">
          {problem.code} {problem.detail}
        </span>
      )}
    </>
  );
};
