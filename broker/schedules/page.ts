import { createInbox, type Msg, type NatsConnection } from 'nats';
import { linkState } from '../../link/link-state.js';
import { linkedRequest } from '../../link/linked-request.js';
import { headerBytesOf, headersOf } from '../../link/message-headers.js';
import { SCHED } from '../streams/schedule-stream.js';

/** A message of the stream. */
export interface StreamMessage {
  readonly seq: number;
  readonly subject: string;
  readonly time: Date;
  /** The first value of a header; '' without one. */
  readonly header: { readonly get: (name: string) => string };
  readonly data: Uint8Array;
  /** Of payload and headers. */
  readonly bytes: number;
}

const PAGE = 256;
const PAGE_BYTES = 4 * 1024 * 1024;
const TIMEOUT_MS = 10_000;

/** Statuses that end a reply: everything has come; there is nothing; there is no such stream. */
const ENDS: ReadonlySet<number> = new Set([204, 404, 503]);

/** What the server says of a message stands behind its sender's headers. */
const stored = (msg: Msg): StreamMessage | undefined => {
  const headers = headersOf(msg);
  const subject = headers.last('Nats-Subject');
  return subject === ''
    ? undefined
    : {
        seq: Number(headers.last('Nats-Sequence')),
        subject,
        time: new Date(headers.last('Nats-Time-Stamp')),
        header: headers,
        data: msg.data,
        bytes: msg.data.length + headerBytesOf(msg).length,
      };
};

/**
 * Messages of some subjects from a sequence on, as many as one answer holds; none: there are no more, or the stream is
 * not there. Rejects when the answer did not come whole: the client's own batch waits for the rest for ever.
 */
export const readPage = (
  nc: NatsConnection,
  subjects: string,
  fromSeq: number,
): Promise<readonly StreamMessage[]> =>
  new Promise((resolve, reject) => {
    const page: StreamMessage[] = [];
    const inbox = createInbox();
    const end = (failure?: Error): void => {
      clearTimeout(timer);
      forget();
      subscription.unsubscribe();
      if (failure === undefined) resolve(page);
      else reject(failure);
    };
    const timer = setTimeout(() => end(new Error(`the stream ${SCHED} did not answer`)), TIMEOUT_MS);
    const forget = linkState(nc).onLost((why) => end(new Error(why)));
    const subscription = nc.subscribe(inbox, {
      callback: (error, msg) => {
        if (error !== null) return end(error);
        const message = stored(msg);
        const { code, status } = headersOf(msg);
        if (message !== undefined) page.push(message);
        else end(ENDS.has(code) ? undefined : new Error(`the stream ${SCHED} says: ${status}`));
      },
    });
    const request = { seq: fromSeq, batch: PAGE, max_bytes: PAGE_BYTES, next_by_subj: subjects };
    nc.publish(`$JS.API.DIRECT.GET.${SCHED}`, JSON.stringify(request), { reply: inbox });
  });

/** The message on a subject; undefined if there is none. Rejects without a reply. */
export const readOne = async (nc: NatsConnection, subject: string): Promise<StreamMessage | undefined> => {
  const msg = await linkedRequest(nc, `$JS.API.DIRECT.GET.${SCHED}.${subject}`, '', { timeout: TIMEOUT_MS });
  const message = stored(msg);
  const { code, status } = headersOf(msg);
  if (message !== undefined || ENDS.has(code)) return message;
  throw new Error(`the stream ${SCHED} says: ${status}`);
};
