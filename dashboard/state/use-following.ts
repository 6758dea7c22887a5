import { useEffect, useRef, useState } from 'preact/hooks';
import { type ApiProblem, get } from '../api/api-client.js';
import { useToken } from '../api/kept-token.js';

/** The newest answer, which may be of a path before the one that is wanted now. */
export interface FollowingAnswer<T> {
  readonly value: T | undefined;
  /** Why the path that is wanted now has no answer. */
  readonly problem: ApiProblem | undefined;
  /** Whether the answer is of the path that is wanted now. */
  readonly isCurrent: boolean;
}

const BUSY = 429;
const AGAIN_MS = 300;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Asks for a path that changes often, one request at a time: what is passed over while one is under way is never asked
 * for. The last value stays until the next is there.
 */
export const useFollowing = <T>(path: string | undefined): FollowingAnswer<T> => {
  const token = useToken();
  const [state, set] = useState<{
    readonly of?: string;
    readonly value?: T;
    readonly problem?: ApiProblem | undefined;
  }>({});
  const wanted = useRef<string | undefined>(undefined);
  const running = useRef(false);
  const left = useRef(false);
  const follow = async (): Promise<void> => {
    if (running.current) return;
    running.current = true;
    let done: string | undefined;
    while (!left.current && wanted.current !== undefined && wanted.current !== done) {
      const asked: string = wanted.current;
      const answer = await get<T>(asked);
      if (!answer.ok && answer.problem.status === BUSY) {
        await pause(AGAIN_MS);
        continue;
      }
      done = asked;
      if (!left.current)
        set((before) =>
          answer.ok ? { of: asked, value: answer.value } : { ...before, of: asked, problem: answer.problem },
        );
    }
    running.current = false;
  };
  useEffect(() => {
    wanted.current = path;
    void follow();
  }, [path, token]);
  useEffect(() => {
    left.current = false;
    return () => {
      left.current = true;
    };
  }, []);
  const isCurrent = state.of === path;
  return {
    value: path === undefined ? undefined : state.value,
    problem: isCurrent ? state.problem : undefined,
    isCurrent,
  };
};
