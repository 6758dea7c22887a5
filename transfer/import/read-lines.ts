import { FaultError, fault } from '../../schemas/errors.js';

/** A line of a file, its number from 1. */
export interface Line {
  readonly number: number;
  readonly text: string;
}

/** A record of 1 MiB as base64, with its headers twice. No line of an export is longer. */
const MAX_LINE_BYTES = 8 * 1024 * 1024;
const NEWLINE = 10;

export const invalidLine = (number: number, why: string): FaultError =>
  new FaultError(fault('IMPORT_INVALID', `line ${number}: ${why}`));

/**
 * The lines of a stream, in groups as they arrive, without empty ones. Only newlines end a line: JSON may contain
 * other line separators. Throws IMPORT_INVALID for bytes that are not UTF-8 and for a line that no export has.
 */
export async function* readLines(
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<readonly Line[], void, void> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });
  let number = 0;
  const decode = (bytes: Uint8Array): Line | undefined => {
    number += 1;
    let text: string;
    try {
      text = decoder.decode(bytes);
    } catch {
      throw invalidLine(number, 'it is not UTF-8');
    }
    return text.trim() === '' ? undefined : { number, text };
  };
  let rest: Buffer[] = [];
  let restBytes = 0;
  for await (const bytes of source) {
    const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const lines: Line[] = [];
    let from = 0;
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, from)) {
      const piece = chunk.subarray(from, at);
      const line = decode(rest.length === 0 ? piece : Buffer.concat([...rest, piece]));
      rest = [];
      restBytes = 0;
      if (line !== undefined) lines.push(line);
      from = at + 1;
    }
    if (from < chunk.length) {
      rest.push(chunk.subarray(from));
      restBytes += chunk.length - from;
      if (restBytes > MAX_LINE_BYTES)
        throw invalidLine(number + 1, `it is longer than ${MAX_LINE_BYTES} bytes`);
    }
    if (lines.length > 0) yield lines;
  }
  const last = rest.length === 0 ? undefined : decode(Buffer.concat(rest));
  if (last !== undefined) yield [last];
}
