import { HEADER } from '../../../schemas/headers.js';
import { parseIdentity } from '../../../schemas/identity.js';
import { historyLine, type HistoryLine, type StoredMessage, toHistory } from '../../../schemas/record.js';
import { splitSubject } from '../../../schemas/subjects.js';

/** A record without what differs between two logs with the same content: sequences, times, epochs. */
export interface ComparableRecord {
  /** Its place in the tree of causes: `#1/call2/res`. */
  readonly path: string;
  readonly cause: string | null;
  readonly conversation: string | null;
  readonly producer: string | undefined;
  readonly line: Omit<HistoryLine, 'seq' | 'time' | 'id' | 'cause' | 'conversation' | 'data'>;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly data: unknown;
}

/** Headers whose values are the same in every log. */
const SAME = [
  HEADER.schema,
  HEADER.part,
  HEADER.call,
  HEADER.calls,
  HEADER.dead,
  HEADER.priority,
  HEADER.key,
] as const;
/** Of these only whether they are there: they have times and ids. */
const THERE = [HEADER.deadline, HEADER.schedule, HEADER.next] as const;

/** Numbers and times in a text say where a record is in its log, and when. */
export const withoutNumbers = (text: string): string =>
  text.replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME').replaceAll(/\d+/g, '#');

/** A payload whose parts that name sequences name paths, and whose error messages have no numbers. */
const comparableData = (data: unknown, pathOf: (seq: number) => string): unknown => {
  const { status, out, error } = (data ?? {}) as {
    readonly status?: unknown;
    readonly out?: readonly { readonly id: string }[];
    readonly error?: { readonly message: string };
  };
  if (typeof status !== 'string') return data;
  return {
    ...(data as object),
    ...(out === undefined
      ? {}
      : {
          out: out.map(({ id, ...rest }) => {
            const [cause = '', i] = id.split('/');
            return { ...rest, id: `${pathOf(Number(cause))} ${i}` };
          }),
        }),
    ...(error === undefined ? {} : { error: { ...error, message: withoutNumbers(error.message) } }),
  };
};

export interface ComparableLog {
  /** All records of modules and clients, in the order of their paths. Records of epochs are left out. */
  readonly records: readonly ComparableRecord[];
  readonly pathOf: (seq: number) => string;
}

export const comparable = (records: readonly StoredMessage[]): ComparableLog => {
  const paths = new Map<number, string>();
  const counts = new Map<string, number>();
  const pathOf = (seq: number): string => paths.get(seq) ?? 'nowhere';
  const numbered = (parent: string, kind: string): string => {
    const key = `${parent}/${kind}`;
    const n = (counts.get(key) ?? 0) + 1;
    counts.set(key, n);
    return `${key}${n}`;
  };
  const all: ComparableRecord[] = [];
  for (const record of records) {
    if (splitSubject(record.subject)?.kind === 'epoch') continue;
    const {
      seq,
      time: _,
      id,
      cause,
      conversation,
      data,
      ...line
    } = JSON.parse(historyLine(toHistory(record))) as HistoryLine;
    const path = numbered(cause === null ? '' : pathOf(cause), line.kind);
    paths.set(seq, path);
    all.push({
      path,
      cause: cause === null ? null : pathOf(cause),
      conversation: conversation === null ? null : pathOf(conversation),
      producer: parseIdentity(id ?? '')?.producer,
      line,
      headers: Object.fromEntries([
        ...SAME.map((name) => [name, record.header(name)]),
        ...THERE.map((name) => [name, record.header(name) === undefined ? undefined : 'there']),
      ]),
      data: comparableData(data, pathOf),
    });
  }
  return { records: all.sort((a, b) => (a.path < b.path ? -1 : 1)), pathOf };
};

/** Whether every command has its result, and every result its copies. */
export const isSettled = (records: readonly StoredMessage[]): boolean => {
  const open = new Map<number, number>();
  for (const record of records) {
    const kind = splitSubject(record.subject)?.kind;
    const cause = Number(record.header(HEADER.cause) ?? 0);
    if (kind === 'cmd') open.set(record.seq, 1);
    if (kind === 'res') {
      const { out = [] } = JSON.parse(new TextDecoder().decode(record.data)) as { readonly out?: unknown[] };
      open.set(cause, (open.get(cause) ?? 0) - 1 + out.length);
    } else if (record.header(HEADER.part) !== undefined) open.set(cause, (open.get(cause) ?? 0) - 1);
  }
  return [...open.values()].every((left) => left === 0);
};
