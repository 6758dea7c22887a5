/** How the line of each header begins: a handful of names, each put together once. */
const starts = new Map<string, string>();

const startOf = (name: string): string => {
  let start = starts.get(name);
  if (start === undefined) {
    start = `\r\n${name}:`;
    starts.set(name, start);
  }
  return start;
};

/**
 * The first value of a header with exactly this name, out of headers as they travel; as the client library, which trims, and
 * knows no empty one. Its own header object is made of all of them: of a record one or two are looked at.
 */
export const headerIn = (headers: string, name: string): string | undefined => {
  const start = startOf(name);
  const at = headers.indexOf(start);
  if (at < 0) return undefined;
  const from = at + start.length;
  const value = headers.slice(from, headers.indexOf('\r\n', from)).trim();
  return value === '' ? undefined : value;
};
