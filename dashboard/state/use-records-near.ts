import { useEffect, useState } from 'preact/hooks';
import type { HistoryLine } from '../../schemas/record.js';
import { type ApiProblem, get, pathOf } from '../api/api-client.js';
import type { WatchedAgent } from '../api/steps-answer.js';

interface RecordPage {
  readonly records: readonly HistoryLine[];
}

/** Records around a place of the log, in order. */
export interface RecordsNear {
  readonly records: readonly HistoryLine[];
  readonly problem: ApiProblem | undefined;
  /** The last record at the place or before it. */
  readonly record: HistoryLine | undefined;
  readonly earlier: number | undefined;
  readonly later: number | undefined;
}

const BACK = 30;
const AHEAD = 90;

interface Held extends WatchedAgent {
  readonly records: readonly HistoryLine[];
  /** Everything between these is held. */
  readonly from: number;
  readonly to: number;
  readonly isBegin: boolean;
  readonly isEnd: boolean;
}

const NONE: Held = { module: '', agent: '', records: [], from: 1, to: 0, isBegin: false, isEnd: false };

/** Whether what is held has the record at a place and the ones next to it. */
const hasNeighbours = ({ records, from, to, isBegin, isEnd }: Held, at: number): boolean =>
  at >= from &&
  at <= to &&
  (isBegin || records.filter(({ seq }) => seq <= at).length > 1) &&
  (isEnd || records.some(({ seq }) => seq > at));

/** Keeps the records around a place that moves; `lastSeq` is the end of what is looked at. */
export const useRecordsNear = (at: number, lastSeq: number, { module, agent }: WatchedAgent): RecordsNear => {
  const [held, set] = useState<Held>(NONE);
  const [problem, setProblem] = useState<ApiProblem>();
  const isOf = held.module === module && held.agent === agent;
  const isThere = isOf && hasNeighbours(held, at);
  useEffect(() => {
    if (isThere || lastSeq === 0) return;
    const leaving = new AbortController();
    const ask = async (): Promise<void> => {
      const filter = { module, agent };
      const [back, ahead] = await Promise.all([
        get<RecordPage>(pathOf(['records'], { ...filter, to: at, last: BACK }), leaving.signal),
        at >= lastSeq
          ? undefined
          : get<RecordPage>(
              pathOf(['records'], { ...filter, from: at + 1, to: lastSeq, limit: AHEAD }),
              leaving.signal,
            ),
      ]);
      if (!back.ok) return setProblem(back.problem);
      if (ahead !== undefined && !ahead.ok) return setProblem(ahead.problem);
      setProblem(undefined);
      const [earlier, later] = [back.value.records, ahead?.value.records ?? []];
      const [isBegin, isEnd] = [earlier.length < BACK, later.length < AHEAD];
      set({
        ...{ module, agent, isBegin, isEnd, records: [...earlier, ...later] },
        from: isBegin ? 1 : (earlier[0]?.seq ?? 1),
        to: isEnd ? lastSeq : (later.at(-1)?.seq ?? lastSeq),
      });
    };
    void ask().catch(() => undefined);
    return () => leaving.abort();
  }, [at, lastSeq, module, agent, isThere]);
  const records = isOf ? held.records : [];
  const place = records.findLastIndex(({ seq }) => seq <= at);
  const record = records[place];
  return {
    records,
    problem,
    record,
    earlier: record !== undefined && record.seq < at ? record.seq : records[place - 1]?.seq,
    later: records[place + 1]?.seq,
  };
};
