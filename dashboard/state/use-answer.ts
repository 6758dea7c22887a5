import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { type ApiProblem, get } from '../api/api-client.js';
import { useToken } from '../api/kept-token.js';

export interface PolledAnswer<T> {
  /** The last answer; it stays while another request is under way, or fails. */
  readonly value: T | undefined;
  /** Why the last request failed. */
  readonly problem: ApiProblem | undefined;
  readonly again: () => void;
}

/**
 * Asks for a path, and again each `everyMs` as long as the page can be seen. Undefined asks for nothing. An answer that
 * comes behind a later request is left out.
 */
export const useAnswer = <T>(path: string | undefined, everyMs?: number): PolledAnswer<T> => {
  const token = useToken();
  const [state, set] = useState<{
    readonly path?: string | undefined;
    readonly value?: T;
    readonly problem?: ApiProblem;
  }>({});
  const [turn, setTurn] = useState(0);
  const latest = useRef(path);
  latest.current = path;
  // Another token is another answer, and `turn` asks again.
  useEffect(() => {
    if (path === undefined) return;
    const leaving = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = async (): Promise<void> => {
      if (document.visibilityState === 'visible') {
        try {
          const answer = await get<T>(path, leaving.signal);
          set((before) =>
            answer.ok
              ? { path, value: answer.value }
              : {
                  ...(before.path === path ? before : { path }),
                  problem: answer.problem,
                },
          );
        } catch {
          return; // The page shows something else by now.
        }
      }
      if (everyMs !== undefined && !leaving.signal.aborted) timer = setTimeout(() => void ask(), everyMs);
    };
    void ask();
    return () => {
      leaving.abort();
      clearTimeout(timer);
    };
  }, [path, everyMs, token, turn]);
  const again = useCallback(() => setTurn((before) => before + 1), []);
  const isOfPath = state.path === path;
  return {
    value: isOfPath ? state.value : undefined,
    problem: isOfPath ? state.problem : undefined,
    again,
  };
};
