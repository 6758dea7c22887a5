/** How the line of each header begins: a handful of names that our own code asks for, each put together once. */
const starts = new Map<string, string>();

const startOf = (name: string): string => {
  let start = starts.get(name);
  if (start === undefined) {
    start = `\r\n${name}:`;
    starts.set(name, start);
  }
  return start;
};

/** All that can stand around a value. What else is blank somewhere is a part of it, here and where `verify` reads it. */
const isBlank = (code: number): boolean => code === 32 || code === 9;

const valueAt = (headers: string, from: number): string => {
  const end = headers.indexOf('\r\n', from);
  let [first, behind] = [from, end < 0 ? headers.length : end];
  while (first < behind && isBlank(headers.charCodeAt(first))) first += 1;
  while (behind > first && isBlank(headers.charCodeAt(behind - 1))) behind -= 1;
  return headers.slice(first, behind);
};

/**
 * The first value of a header with exactly this name, out of headers as they travel: trimmed, and undefined where it is
 * empty. It throws for no bytes: what it cannot read is no header. The client's own header object is made of all of them, and
 * throws where one line is bad; of a record one or two are looked at.
 */
export const headerIn = (headers: string, name: string): string | undefined => {
  const start = startOf(name);
  const at = headers.indexOf(start);
  if (at < 0) return undefined;
  const value = valueAt(headers, at + start.length);
  return value === '' ? undefined : value;
};

/**
 * The last value: of headers that the server puts behind those of the sender (`Nats-Sequence`, `Nats-Subject`), where the
 * first one may be the sender's word.
 */
export const lastHeaderIn = (headers: string, name: string): string | undefined => {
  const start = startOf(name);
  const at = headers.lastIndexOf(start);
  if (at < 0) return undefined;
  const value = valueAt(headers, at + start.length);
  return value === '' ? undefined : value;
};

/** Printable ASCII without a colon: what a header may be called. */
const NAME = /^[!-9;-~]+$/;

/** All headers with a name that is one, in their order. Lines that are no header are left out. */
export const headersIn = (headers: string): ReadonlyMap<string, string[]> => {
  const found = new Map<string, string[]>();
  for (const line of headers.split('\r\n').slice(1)) {
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(0, colon));
    if (!NAME.test(name)) continue;
    const values = found.get(name);
    const value = line.slice(colon + 1).trim();
    if (values === undefined) found.set(name, [value]);
    else values.push(value);
  }
  return found;
};

/** What the server says by a message that has no payload: 404, say, and why. */
export interface Status {
  /** 0: none, this is a message like any other. */
  readonly code: number;
  readonly description: string;
}

const STATUS = /^NATS\/1\.0[ \t]+(\d{3})[ \t]*([^\r\n]*)/;

/** The status in the first line of headers. */
export const statusIn = (headers: string): Status => {
  const [, code = '0', description = ''] = STATUS.exec(headers) ?? [];
  return { code: Number(code), description: description.trim() };
};
