import { createHash, type Hash } from 'node:crypto';
import type { NatsConnection } from 'nats';
import { PATIENT } from '../support/patient.js';

interface Answer {
  readonly message: {
    readonly seq: number;
    readonly subject: string;
    readonly time: string;
    readonly hdrs?: string;
    readonly data?: string;
  };
}

/**
 * The digest of a log's records by the words of docs/reference/replay.md alone, and by another way of reading: one record at a time by its
 * sequence, as the server's JSON.
 */
export const digestByTheBook = async (
  nc: NatsConnection,
  firstSeq: number,
  lastSeq: number,
): Promise<string> => {
  const segments = new Map<number, Hash>();
  for (let seq = firstSeq; seq <= lastSeq; seq++) {
    const reply = await nc.request('$JS.API.STREAM.MSG.GET.LOG', JSON.stringify({ seq }), PATIENT);
    const { message } = reply.json<Answer>();
    const subject = Buffer.from(message.subject);
    const stored = Buffer.from(message.hdrs ?? '', 'base64').toString('latin1');
    const headers = Buffer.from(stored.replace(/\r\n$/, ''), 'latin1');
    const data = Buffer.from(message.data ?? '', 'base64');
    const [whole = '', fraction = ''] = message.time.replace('Z', '').split('.');
    const head = Buffer.alloc(32);
    head.writeBigUInt64BE(BigInt(message.seq), 0);
    head.writeBigUInt64BE(BigInt(Date.parse(`${whole}Z`) / 1_000), 8);
    head.writeUInt32BE(Number(fraction.padEnd(9, '0')), 16);
    head.writeUInt32BE(subject.length, 20);
    head.writeUInt32BE(headers.length, 24);
    head.writeUInt32BE(data.length, 28);
    const index = Math.floor(seq / 10_000);
    const hash = segments.get(index) ?? createHash('sha256');
    segments.set(index, hash.update(head).update(subject).update(headers).update(data));
  }
  const all = createHash('sha256');
  for (const hash of segments.values()) all.update(hash.digest());
  return all.digest('hex');
};
