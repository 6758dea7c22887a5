import { useEffect, useState } from 'preact/hooks';
import type { LinesPage, LogLevel, LogLine } from '../../schemas/log-lines.js';
import { type ApiProblem, get, pathOf } from '../api/api-client.js';
import { useToken } from '../api/kept-token.js';

/** Lines on the page. Older ones are on the disk of the broker. */
const MOST = 500;
const FIRST = 100;
const EVERY_MS = 1_000;

export interface FollowedLines {
  /** The oldest first. */
  readonly lines: readonly LogLine[] | undefined;
  readonly problem: ApiProblem | undefined;
}

const goneOf = ({ kept }: LinesPage): number => kept.reduce((sum, { gone }) => sum + gone, 0);

/** The newest lines of a module, and further ones as they come. `gone` counts older lines that are not kept. */
export const useLogLines = (module: string, level: LogLevel): FollowedLines & { readonly gone: number } => {
  const token = useToken();
  const [state, set] = useState<FollowedLines & { readonly gone: number }>({
    lines: undefined,
    problem: undefined,
    gone: 0,
  });
  useEffect(() => {
    const leaving = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let place: number | undefined;
    set({ lines: undefined, problem: undefined, gone: 0 });
    const ask = async (): Promise<void> => {
      let waitMs = EVERY_MS;
      if (document.visibilityState === 'visible') {
        try {
          const asked = place === undefined ? { limit: FIRST } : { after: place };
          const path = pathOf(['modules', module, 'logs'], { level, ...asked });
          const answer = await get<LinesPage>(path, leaving.signal);
          if (answer.ok) {
            const page = answer.value;
            const isFirst = place === undefined;
            place = isFirst ? page.end : (page.next ?? page.end);
            if (!page.isEnd) waitMs = 0;
            set((before) => ({
              lines: (isFirst ? page.lines : [...(before.lines ?? []), ...page.lines]).slice(-MOST),
              problem: undefined,
              gone: goneOf(page),
            }));
          } else set((before) => ({ ...before, problem: answer.problem }));
        } catch {
          return; // The page shows something else by now.
        }
      }
      if (!leaving.signal.aborted) timer = setTimeout(() => void ask(), waitMs);
    };
    void ask();
    return () => {
      leaving.abort();
      clearTimeout(timer);
    };
  }, [module, level, token]);
  return state;
};
