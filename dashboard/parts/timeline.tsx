import type { PlacedRecord } from '../api/trace-answer.js';
import { msText } from './number-text.js';

interface TimelineProps {
  readonly records: readonly PlacedRecord[];
  readonly spanMs: number;
}

const percent = (part: number, whole: number): number =>
  whole > 0 ? Math.min(100, (100 * part) / whole) : 0;

const partsOf = ({ record }: PlacedRecord): readonly (readonly [part: string, ms: number])[] =>
  [
    ['waited', record.waitedMs ?? 0],
    ['calls', record.callsMs ?? 0],
    ['own', record.ownMs ?? 0],
  ].filter((part): part is [string, number] => (part[1] as number) > 0);

/** Where the time of each command went: waiting for its agent, waiting for calls, and the rest. */
export const Timeline = ({ records, spanMs }: TimelineProps) => {
  const commands = records.filter(({ record }) => record.outcome !== undefined);
  const whole = Math.max(spanMs, 0.001);
  return (
    <>
      <ul class="legend" aria-hidden="true">
        <li class="waited">waited for its agent</li>
        <li class="calls">calls under way</li>
        <li class="own">handling and storing</li>
      </ul>
      <ol class="timeline">
        {commands.map((placed) => {
          const { record, depth } = placed;
          const parts = partsOf(placed);
          const took = record.tookMs ?? Math.max(0, whole - record.atMs);
          const said = parts.map(([part, ms]) => `${part} ${msText(ms)}`).join(', ');
          return (
            <li key={record.seq}>
              <span class={`what depth-${Math.min(depth, 6)}`}>
                {record.module}.{record.name} {record.agent}
              </span>
              <span class="bar" title={said} aria-hidden="true">
                <span
                  class={record.outcome === 'open' ? 'span open' : 'span'}
                  style={{
                    left: `${percent(record.atMs, whole)}%`,
                    width: `${Math.max(0.4, percent(took, whole))}%`,
                  }}
                >
                  {parts.map(([part, ms]) => (
                    <span key={part} class={part} style={{ width: `${percent(ms, took)}%` }} />
                  ))}
                </span>
              </span>
              <span class="number">
                {record.tookMs == null ? 'open' : msText(record.tookMs)}
                <span class="unseen"> {said}</span>
              </span>
            </li>
          );
        })}
      </ol>
    </>
  );
};
