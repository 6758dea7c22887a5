/** Sends records to a log. */
export interface RecordWriter {
  /** Resolves when the log says that it has all of these. */
  readonly append: (records: readonly Uint8Array[]) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Is given all records once it is open, as one program of a group whose position is kept for it. */
export interface RecordReader {
  readonly close: () => Promise<void>;
}

/** Handles the time in a record; see {@link recordAt}. */
export type Handle = (atNs: number) => void;

/** Where and how a log is reached. */
export type PeerLogPlace =
  | { readonly via: 'tallystick'; readonly url: string; readonly seed: string; readonly data: string }
  | { readonly via: 'jetstream'; readonly url: string }
  | { readonly via: 'redis'; readonly port: number }
  | { readonly via: 'rabbitmq'; readonly port: number; readonly folder: string }
  | { readonly via: 'kafka'; readonly port: number; readonly folder: string }
  | { readonly via: 'unix socket'; readonly path: string };

export const RECORD_BYTES = 256;

/** The monotonic clock, nanoseconds: the same one in all processes of Linux. */
export const nowNs = (): number => Number(process.hrtime.bigint());

const encoder = new TextEncoder();
const PAD = ' '.repeat(RECORD_BYTES);

/** A record, JSON of 256 bytes: when it was due. */
export const recordAt = (atNs: number): Uint8Array => {
  const open = `{"at":${atNs},"pad":"`;
  return encoder.encode(`${open}${PAD.slice(open.length + 2)}"}`);
};

/** A program reads what it gets: each reader parses the whole record. */
export const timeIn = (record: string): number => (JSON.parse(record) as { readonly at: number }).at;
