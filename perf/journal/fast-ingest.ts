import { createInbox, type NatsConnection, nuid } from 'nats';
import { Envelope } from '../../journal/append/envelope.js';
import { publishMessage } from '../../link/write-lane.js';
import { epochSubject } from '../../schemas/subjects.js';
import { DATA, DRAFT, SUBJECT } from './load.js';

const PER_ACK = 500;
const START = 0;
const APPEND = 1;
const COMMIT = 2;

interface IngestReply {
  /** Flow control; the last answer of a batch has none. */
  readonly type?: string;
  readonly error?: { readonly description: string };
}

const PRODUCER = 'ingest';

/**
 * The server's fast ingest at its best: one long batch after the other, each record with identity and fence, to see
 * what the journal would gain by it. Records a second. Reply subjects carry the protocol: NATS ADR-50.
 */
export const fastIngest = async (nc: NatsConnection, records: number, batch = 10_000): Promise<number> => {
  const { seq } = (await nc.request(epochSubject(PRODUCER), '{}', { timeout: 30_000 })).json<{
    readonly seq: number;
  }>();
  const envelope = new Envelope(PRODUCER, seq);
  return new Promise((resolve, reject) => {
    const inbox = createInbox();
    const from = performance.now();
    let sent = 0;
    let done = 0;
    const send = (): void => {
      const id = nuid.next();
      const size = Math.min(batch, records - sent);
      for (let i = 1; i <= size; i++) {
        const operation = i === 1 ? START : i === size ? COMMIT : APPEND;
        publishMessage(nc, {
          subject: SUBJECT,
          reply: `${inbox}.${id}.${PER_ACK}.fail.${i}.${operation}.$FI`,
          headers: envelope.headersOf(sent + i, DRAFT),
          payload: DATA,
        });
      }
      sent += size;
    };
    const subscription = nc.subscribe(`${inbox}.>`, {
      callback: (error, msg) => {
        const answer = error === null ? msg.json<IngestReply>() : { error: { description: error.message } };
        if (answer.type === 'ack') return;
        if (answer.error !== undefined || answer.type !== undefined) {
          subscription.unsubscribe();
          return reject(new Error(`fast ingest: ${answer.error?.description ?? answer.type}`));
        }
        done += Math.min(batch, records - done);
        if (sent < records) send();
        if (done < records) return;
        subscription.unsubscribe();
        resolve(records / ((performance.now() - from) / 1_000));
      },
    });
    // Two on their way, so that the server is never idle.
    send();
    if (sent < records) send();
  });
};
