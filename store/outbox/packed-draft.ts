import type { Draft } from '../../journal/append/draft.js';

const HEAD_LENGTH = 4;

type DraftHead = readonly [subject: string, headers: Readonly<Record<string, string>>];

/** A record as bytes: length of the head, the head as JSON, the data as it is. */
export const pack = ({ subject, data, headers = {} }: Draft): Uint8Array => {
  const head = JSON.stringify([subject, headers] satisfies DraftHead);
  const headLength = Buffer.byteLength(head);
  // Separate memory: of a shared piece, all would be copied when it goes to another thread.
  const bytes = Buffer.allocUnsafeSlow(HEAD_LENGTH + headLength + data.length);
  bytes.writeUInt32LE(headLength);
  bytes.write(head, HEAD_LENGTH);
  bytes.set(data, HEAD_LENGTH + headLength);
  return bytes;
};

/** Throws where the bytes are no packed record. */
export const unpack = (bytes: Uint8Array): Draft => {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = HEAD_LENGTH + buffer.readUInt32LE(0);
  const [subject, headers] = JSON.parse(buffer.toString('utf8', HEAD_LENGTH, end)) as DraftHead;
  if (typeof subject !== 'string' || typeof headers !== 'object')
    throw new TypeError('an entry is no record');
  return { subject, headers, data: buffer.subarray(end) };
};
