/** Headers by their names, in order, each with all of its values. */
export type Headers = Readonly<Record<string, readonly string[]>>;

/** A name ends at its colon, a value with its line. */
const NAME = /^[^\r\n: ]+$/;
const VALUE = /^[^\r\n]*$/;

/** Why these cannot be headers; undefined where they can. */
export const headersProblem = (headers: Headers): string | undefined => {
  for (const name in headers) {
    if (!NAME.test(name)) return `${JSON.stringify(name)} is no name of a header`;
    if (!(headers[name] as readonly string[]).every((value) => VALUE.test(value)))
      return `header ${name} has a line break`;
  }
  return undefined;
};

const START = 'NATS/1.0\r\n';
const END = '\r\n';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const isSame = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

/** The bytes of headers; none at all for no header. */
export const encodeHeaders = (headers: Headers): Uint8Array => {
  let lines = '';
  for (const name in headers) {
    for (const value of headers[name] as readonly string[]) lines += `${name}: ${value}${END}`;
  }
  return Buffer.from(lines === '' ? '' : `${START}${lines}${END}`);
};

const parse = (text: string): Headers | undefined => {
  if (!text.startsWith(START) || !text.endsWith(`${END}${END}`)) return undefined;
  // Without a prototype, so that any name is one like all others.
  const headers = Object.create(null) as Record<string, string[]>;
  for (const line of text.slice(START.length, -2 * END.length).split(END)) {
    const colon = line.indexOf(': ');
    if (colon < 1) return undefined;
    const name = line.slice(0, colon);
    const values = headers[name];
    const value = line.slice(colon + 2);
    if (values === undefined) headers[name] = [value];
    else values.push(value);
  }
  return headers;
};

/** The headers that these bytes are; undefined where they would not print back to the same bytes. */
export const decodeHeaders = (bytes: Uint8Array): Headers | undefined => {
  if (bytes.length === 0) return {};
  let headers: Headers | undefined;
  try {
    headers = parse(decoder.decode(bytes));
  } catch {
    return undefined;
  }
  if (headers === undefined || headersProblem(headers) !== undefined) return undefined;
  return isSame(encodeHeaders(headers), bytes) ? headers : undefined;
};
