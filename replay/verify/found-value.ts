import type { WireRecord } from '../../journal/wire/wire-record.js';
import { clip } from '../../text/printable.js';

/** Characters of a value that a finding shows. */
const SHOWN = 80;

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const isPlain = (byte: number): boolean => byte > 31 && byte < 127 && byte !== 34 && byte !== 92;

const hex = (byte: number): string => `\\x${byte.toString(16).padStart(2, '0')}`;

/** Text of the log in quotes, and short. */
export const quoted = (text: string): string => JSON.stringify(clip(text, SHOWN));

/**
 * Bytes of the log in quotes, and short: as text where they are UTF-8, else `\xff` for each byte that is no plain
 * letter.
 */
export const quotedBytes = (bytes: Uint8Array): string => {
  try {
    return quoted(decoder.decode(bytes));
  } catch {
    const shown = [...bytes.subarray(0, SHOWN)].map((byte) =>
      isPlain(byte) ? String.fromCharCode(byte) : hex(byte),
    );
    return `"${shown.join('')}${bytes.length > SHOWN ? '…' : ''}" (no UTF-8)`;
  }
};

/**
 * `Tally-Cause "17x"`, `no Tally-Cause`, or `an empty Tally-Cause`: of several the first one, which is the one that
 * counts.
 */
export const headerFound = ({ bytes, headersFrom, dataFrom }: WireRecord, name: string): string => {
  const headers = bytes.toString('latin1', headersFrom, dataFrom);
  const start = `\r\n${name}:`;
  const at = headers.indexOf(start);
  if (at < 0) return `no ${name}`;
  const from = at + start.length;
  const end = headers.indexOf('\r\n', from);
  const value = headers.slice(from, end < 0 ? headers.length : end).trim();
  return value === '' ? `an empty ${name}` : `${name} ${quotedBytes(Buffer.from(value, 'latin1'))}`;
};

/** The subject of a record as text: bare where each byte is plain, else in quotes. */
export const subjectFound = ({ bytes, subjectFrom, subjectTo }: WireRecord): string => {
  const subject = bytes.subarray(subjectFrom, subjectTo);
  return subject.every(isPlain) ? subject.toString('latin1') : quotedBytes(subject);
};
