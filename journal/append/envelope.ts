import { type Fault, fault } from '../../schemas/errors.js';
import { HEADER, SCHEMA_VERSION } from '../../schemas/headers.js';
import { formatIdentity } from '../../schemas/identity.js';
import { MAX_HEADER_BYTES, MAX_RECORD_BYTES } from '../../schemas/log.js';
import { epochSubject } from '../../schemas/subjects.js';
import type { Draft } from './draft.js';

/** A record's place in an atomic batch, i from 1. */
export interface BatchPlace {
  readonly id: string;
  readonly i: number;
  readonly isLast: boolean;
}

/** `Nats-Batch-Id` with 64 characters, `Nats-Batch-Sequence`, `Nats-Batch-Commit`; bytes. */
const BATCH_BYTES = 140;
/** The digits of a number; bytes. */
const NUMBER_BYTES = 16;
const END = '\r\n';
const LINE_BREAK = /[\r\n]/;

const line = (name: string, value: string): string => `${name}: ${value}${END}`;

const START = `NATS/1.0${END}`;
const DEFAULT_SCHEMA = line(HEADER.schema, SCHEMA_VERSION);

/**
 * The headers of one epoch's records, in their bytes on the wire. The client's own header object checks
 * and canonicalizes each line again: at the rates of a burst that costs as much as all the rest of a publish.
 */
export class Envelope {
  readonly #fenced: string;
  readonly #id: string;

  constructor(producer: string, epoch: number) {
    this.#fenced =
      START + line(HEADER.fenceSequence, String(epoch)) + line(HEADER.fenceSubject, epochSubject(producer));
    this.#id = `${HEADER.id}: ${formatIdentity({ producer, epoch, n: 1 }).slice(0, -1)}`;
  }

  /**
   * Upper limit of what the server counts against its limit for one record, with the headers of fence and batch;
   * bytes. Or why the record can never be stored. Asked once, before the record takes a number: one that is never
   * stored is a gap (I2), and the refusal of the server would end the epoch of all others. `maxPayload`: what the
   * connection takes.
   */
  weigh({ subject, data, headers }: Draft, maxPayload = MAX_RECORD_BYTES): number | Fault {
    const own = this.#fenced.length + DEFAULT_SCHEMA.length + this.#id.length + NUMBER_BYTES;
    let headerBytes = own + BATCH_BYTES;
    let broken: string | undefined;
    for (const name in headers) {
      const value = headers[name] as string;
      headerBytes += name.length + Buffer.byteLength(value) + 4;
      // A value with a line break would end its header and begin another one.
      if (LINE_BREAK.test(value)) broken ??= name;
    }
    const bytes = headerBytes + data.length + subject.length;
    const most = Math.min(MAX_RECORD_BYTES, maxPayload);
    if (bytes > most) return fault('PAYLOAD_TOO_LARGE', `a record of ${bytes} bytes is above ${most}`);
    if (headerBytes > MAX_HEADER_BYTES) {
      const text = `the headers have ${headerBytes} bytes, with those of the broker, and ${MAX_HEADER_BYTES} are allowed; make them shorter`;
      return fault('HEADERS_TOO_LARGE', text);
    }
    return broken === undefined ? bytes : fault('HEADER_INVALID', `${broken} has a line break`);
  }

  /**
   * The headers as they travel. One record of a batch is enough to fence it: the server stores the whole of it or
   * nothing.
   */
  headersOf(n: number, { headers }: Draft, batch?: BatchPlace): string {
    const start = batch === undefined || batch.i === 1 ? this.#fenced : START;
    const schema = headers?.[HEADER.schema] === undefined ? DEFAULT_SCHEMA : '';
    let text = `${start}${schema}${this.#id}${n}${END}`;
    for (const name in headers) text += line(name, headers[name] as string);
    if (batch !== undefined) {
      text += line('Nats-Batch-Id', batch.id) + line('Nats-Batch-Sequence', String(batch.i));
      if (batch.isLast) text += line('Nats-Batch-Commit', '1');
    }
    return text + END;
  }
}
