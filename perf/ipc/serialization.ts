import { randomBytes } from 'node:crypto';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { decode as fromMsgpack, encode as toMsgpack } from '@msgpack/msgpack';
import { decode as fromCbor, encode as toCbor } from 'cborg';
import { type Measured, measured } from '../bench/rounds.js';

interface Format {
  readonly write: (value: unknown) => Uint8Array;
  readonly read: (bytes: Uint8Array) => unknown;
}

const text = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

const FORMATS = {
  'JSON, indented': {
    write: (value) => Buffer.from(JSON.stringify(value, null, 2)),
    read: (bytes) => JSON.parse(text(bytes)),
  },
  JSON: { write: json, read: (bytes) => JSON.parse(text(bytes)) },
  MessagePack: { write: (value) => toMsgpack(value), read: (bytes) => fromMsgpack(bytes) },
  CBOR: { write: (value) => toCbor(value), read: (bytes) => fromCbor(bytes) },
  'JSON, deflated': {
    write: (value) => deflateRawSync(json(value)),
    read: (bytes) => JSON.parse(text(inflateRawSync(bytes))),
  },
} as const satisfies Record<string, Format>;

export type FormatName = keyof typeof FORMATS;
export const FORMAT_NAMES = Object.keys(FORMATS) as readonly FormatName[];

export interface FormatFigures {
  readonly bytes: number;
  readonly writtenPerSecond: Measured;
  readonly readPerSecond: Measured;
}

export const CONTENT_BYTES = [256, 1_000_000] as const;
const SLICE_MS = 300;

/** A message as agents send it: who, to whom, when, and a content of random text, which no compression makes small. */
const messageOf = (bytes: number): unknown => ({
  id: 'b7f6c2de-2f0b-4d0e-9a57-7f0f6f8f3a11',
  from: { module: 'orders', agent: 'order-17' },
  to: { module: 'accounts', agent: 'alice', action: 'deposit' },
  time: '2026-11-30T12:00:00.000Z',
  attempt: 1,
  urgent: false,
  content: randomBytes(bytes).toString('base64').slice(0, bytes),
});

const perSecond = (run: () => unknown, sliceMs: number): number => {
  const from = performance.now();
  let times = 0;
  for (let now = from; now - from < sliceMs; now = performance.now()) {
    run();
    times += 1;
  }
  return (times * 1_000) / (performance.now() - from);
};

/** Each format writes and reads the same message, by turns. */
export const measureFormats = (
  bytes: number,
  rounds: number,
  scale: number,
): Readonly<Record<FormatName, FormatFigures>> => {
  const message = messageOf(bytes);
  const sliceMs = Math.max(5, SLICE_MS * scale);
  const found = Object.fromEntries(
    FORMAT_NAMES.map((name) => [name, { written: [] as number[], read: [] as number[] }]),
  );
  for (let round = 0; round < rounds; round++)
    for (const name of FORMAT_NAMES) {
      const { write, read } = FORMATS[name];
      const made = write(message);
      found[name]?.written.push(perSecond(() => write(message), sliceMs));
      found[name]?.read.push(perSecond(() => read(made), sliceMs));
    }
  return Object.fromEntries(
    FORMAT_NAMES.map((name) => [
      name,
      {
        bytes: FORMATS[name].write(message).length,
        writtenPerSecond: measured(found[name]?.written ?? []),
        readPerSecond: measured(found[name]?.read ?? []),
      },
    ]),
  ) as Record<FormatName, FormatFigures>;
};
