/**
 * The first value of a header with exactly this name, out of headers as they travel; as the client library, which trims, and
 * knows no empty one. Its own header object is made of all of them: of a record one or two are looked at.
 */
export const headerIn = (headers: string, name: string): string | undefined => {
  const start = `\r\n${name}:`;
  const at = headers.indexOf(start);
  if (at < 0) return undefined;
  const from = at + start.length;
  const value = headers.slice(from, headers.indexOf('\r\n', from)).trim();
  return value === '' ? undefined : value;
};
