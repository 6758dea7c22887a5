import { jetstreamManager } from '@nats-io/jetstream';
import type { MsgHdrs, NatsConnection } from 'nats';
import { readLog } from '../../journal/read/reader.js';
import { wireOf } from '../../journal/wire/stored-message.js';
import { type Identity, parseIdentity } from '../../schemas/identity.js';
import { type LogSubject, splitSubject } from '../../schemas/subjects.js';
import { HEADER } from '../../schemas/headers.js';
import { waitFor } from '../support/wait-for.js';

/** A record that can be changed and stored again. */
export interface Copied {
  readonly seq: number;
  readonly subject: string;
  /** Names and values, but for those that the server acts on. */
  readonly headers: readonly (readonly [string, string])[];
  readonly data: string;
}

export const headerOf = ({ headers }: Copied, name: string): string | undefined =>
  headers.find(([each]) => each === name)?.[1];

export const withHeader = (record: Copied, name: string, value: string): Copied => ({
  ...record,
  headers: [...record.headers.filter(([each]) => each !== name), [name, value]],
});

export const idOf = (record: Copied): Identity | undefined =>
  parseIdentity(headerOf(record, HEADER.id) ?? '');
export const subjectOf = ({ subject }: Copied): LogSubject | undefined => splitSubject(subject);
export const causeOf = (record: Copied): number => Number(headerOf(record, HEADER.cause) ?? 0);

/** All records of a log, fences and names of batches left out: those would be obeyed when they are stored again. */
export const copyOf = async (nc: NatsConnection): Promise<readonly Copied[]> => {
  const all: Copied[] = [];
  for await (const message of readLog(nc)) {
    const { bytes, headersFrom, dataFrom } = wireOf(message);
    const lines = bytes.toString('utf8', headersFrom, dataFrom).split('\r\n').slice(1);
    const headers = lines
      .filter((line) => line !== '' && !line.startsWith('Nats-'))
      .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()] as const);
    all.push({
      seq: message.seq,
      subject: message.subject,
      headers,
      data: Buffer.from(message.data).toString('utf8'),
    });
  }
  return all;
};

const encoded = (headers: Copied['headers']): MsgHdrs => {
  const text = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return { encode: () => Buffer.from(`NATS/1.0\r\n${text}\r\n`) } as unknown as MsgHdrs;
};

/** Has a stream LOG with just these records, from sequence 1 on in their order, in the place of what was there. */
export const storeLog = async (nc: NatsConnection, records: readonly Copied[]): Promise<void> => {
  const jsm = await jetstreamManager(nc);
  await jsm.streams.delete('LOG').catch(() => undefined);
  await jsm.streams.add({
    name: 'LOG',
    subjects: ['cmd', 'res', 'evt', 'step', 'wake', 'cancel', 'restart', 'signal', 'epoch'].map(
      (kind) => `${kind}.>`,
    ),
    storage: 'memory',
    allow_direct: true,
  });
  for (const { subject, headers, data } of records)
    nc.publish(subject, data, headers.length === 0 ? {} : { headers: encoded(headers) });
  await waitFor('all records to be stored', async () => {
    const { messages } = (await jsm.streams.info('LOG')).state;
    if (messages !== records.length) throw new Error(`${messages} of ${records.length}`);
    return true;
  });
};

/** Removes a record from a stream, which keeps the sequences of the others. */
export const removeAt = async (nc: NatsConnection, seq: number): Promise<void> => {
  await (await jetstreamManager(nc)).streams.deleteMessage('LOG', seq);
};
