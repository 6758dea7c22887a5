import { useEffect, useRef, useState } from 'preact/hooks';
import { LOG_LEVELS, type LogLevel, type LogLine } from '../../schemas/log-lines.js';
import { printableText } from '../../text/printable.js';
import { useLogLines } from '../state/use-log-lines.js';
import { linkTo } from '../state/use-route.js';
import { Empty, ProblemNotice } from './notice.js';
import { countText } from './number-text.js';

/** So near to the end, a reader follows. */
const NEAR_PX = 24;

const Line = ({ line }: { readonly line: LogLine }) => (
  <li class={`line ${line.level}`}>
    <span class="when">{line.time.slice(11, 23)}</span> <span class="level">{line.level}</span>{' '}
    {line.source !== line.module && <span class="note">[{line.source}] </span>}
    <span class="text">{printableText(line.msg)}</span>
    {line.seq !== undefined && (
      <>
        {' '}
        <a href={linkTo('conversations', line.conversation ?? line.seq)}>command {line.seq}</a>
        {line.agent !== undefined && <span class="note"> {line.agent}</span>}
      </>
    )}
  </li>
);

/** The log lines of a module, as they come. A reader who scrolls back is left where they are. */
export const LogLines = ({ module }: { readonly module: string }) => {
  const [level, setLevel] = useState<LogLevel>('info');
  const { lines, problem, gone } = useLogLines(module, level);
  const box = useRef<HTMLElement>(null);
  const follows = useRef(true);
  useEffect(() => {
    if (follows.current && box.current !== null) box.current.scrollTop = box.current.scrollHeight;
  }, [lines]);
  return (
    <>
      <div class="range">
        <label for="log-level">
          Level
          <select
            id="log-level"
            value={level}
            onChange={({ currentTarget }) => setLevel(currentTarget.value as LogLevel)}
          >
            {LOG_LEVELS.map((each) => (
              <option key={each} value={each}>
                {each === 'error' ? 'error' : `${each} and above`}
              </option>
            ))}
          </select>
        </label>
      </div>
      <ProblemNotice problem={problem} />
      {lines !== undefined && lines.length === 0 && <Empty>It has printed nothing of this level.</Empty>}
      {lines !== undefined && lines.length > 0 && (
        <section
          class="log-lines"
          ref={box}
          // biome-ignore lint/a11y/noNoninteractiveTabindex: without it, a keyboard could not scroll
          tabIndex={0}
          aria-label={`Log lines of ${module}`}
          onScroll={({ currentTarget: { scrollTop, clientHeight, scrollHeight } }) => {
            follows.current = scrollTop + clientHeight >= scrollHeight - NEAR_PX;
          }}
        >
          <ol>
            {lines.map((line) => (
              <Line key={line.n} line={line} />
            ))}
          </ol>
        </section>
      )}
      {gone > 0 && <p class="note">{countText(gone)} older lines are not kept any more.</p>}
    </>
  );
};
