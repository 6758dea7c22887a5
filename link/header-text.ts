/** The beginning of each header's line: our code asks for a few names, so each is composed once. */
const starts = new Map<string, string>();

const startOf = (name: string): string => {
  let start = starts.get(name);
  if (start === undefined) {
    start = `\r\n${name}:`;
    starts.set(name, start);
  }
  return start;
};

/** All characters that can surround a value. Any other blank is a part of the value, here and in `verify`. */
const isBlank = (code: number): boolean => code === 32 || code === 9;

const valueAt = (headers: string, from: number): string => {
  const end = headers.indexOf('\r\n', from);
  let [first, behind] = [from, end < 0 ? headers.length : end];
  while (first < behind && isBlank(headers.charCodeAt(first))) first += 1;
  while (behind > first && isBlank(headers.charCodeAt(behind - 1))) behind -= 1;
  return headers.slice(first, behind);
};

/**
 * The first value of a header with exactly this name, from headers in their wire form. It is trimmed, and undefined
 * if it is empty. It never throws: a line that it cannot read is no header. The client's own header object reads all
 * lines and throws at one bad line; of a record only one or two are needed.
 */
export const headerIn = (headers: string, name: string): string | undefined => {
  const start = startOf(name);
  const at = headers.indexOf(start);
  if (at < 0) return undefined;
  const value = valueAt(headers, at + start.length);
  return value === '' ? undefined : value;
};

/**
 * The last value: the server puts its headers (`Nats-Sequence`, `Nats-Subject`) after those of the sender, so the
 * first value may be forged by the sender.
 */
export const lastHeaderIn = (headers: string, name: string): string | undefined => {
  const start = startOf(name);
  const at = headers.lastIndexOf(start);
  if (at < 0) return undefined;
  const value = valueAt(headers, at + start.length);
  return value === '' ? undefined : value;
};

/** Printable ASCII without a colon: the characters of a header's name. */
const NAME = /^[!-9;-~]+$/;

/** All headers with a valid name, in order. Other lines are left out. */
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

/** A status of the server in a message without payload: 404, for example, with its reason. */
export interface Status {
  /** 0: no status, this is an ordinary message. */
  readonly code: number;
  readonly description: string;
}

const STATUS = /^NATS\/1\.0[ \t]+(\d{3})[ \t]*([^\r\n]*)/;

/** The status in the first line of headers. */
export const statusIn = (headers: string): Status => {
  const [, code = '0', description = ''] = STATUS.exec(headers) ?? [];
  return { code: Number(code), description: description.trim() };
};
