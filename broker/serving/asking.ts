import type { Msg } from 'nats';
import { headerBytesOf } from '../journal/message-headers.js';
import type { Asking, Pace } from './turnstile.js';

const decoder = new TextDecoder('latin1');

const MARK = 'Nats-Request-Info: {"';
/** What the server writes first of a connection; what the connection says of itself comes behind, as JSON text. */
const ID = /^Nats-Request-Info: \{(?:"start":"[^"\\]*",)?(?:"host":"[^"\\]*",)?"id":(\d+)/;

/**
 * Number of the connection that a request came over. It bounds how much of the broker's time a connection gets, and says nothing
 * of who asks: that is in the subject alone. The server writes it behind all headers of the sender, so the last one in the bytes is the
 * server's, whatever a sender wrote; and in the JSON behind it a quote cannot stand without a backslash.
 */
export const connectionOf = (headerBytes: Uint8Array): string => {
  const text = decoder.decode(headerBytes.subarray(Math.max(0, headerBytes.length - 4_096)));
  const at = text.lastIndexOf(MARK);
  return at < 0 ? '' : (ID.exec(text.slice(at))?.[1] ?? '');
};

/** Of one connection for one module: so many others' calls stand before yours in the module's line, at most. */
const PACES: Readonly<Record<string, Pace>> = {
  ask: { inFlight: 64, amongOthers: 8 },
  // Answered when it is stored: what waits then waits in the log.
  send: { inFlight: 1_024, amongOthers: 16 },
  // These are done one after the other, whoever asks: one more keeps them busy.
  schedule: { inFlight: 2 },
  producer: { inFlight: 1, waiting: 100 },
};

const OTHER: Pace = { inFlight: 16, amongOthersMs: 8 };

/** Who asks by this message, and at what pace; `sender`: the account, as its subject says. */
export const askingOf = (msg: Msg, sender: string): { readonly asking: Asking; readonly pace: Pace } => {
  const { subject } = msg;
  const [verb = '', about = ''] = subject.split('.', 2);
  const headers = headerBytesOf(msg);
  const connection = `${sender}/${connectionOf(headers)}`;
  const asking = {
    account: sender,
    connection,
    // Of calls a line for each module. All others in one line: commands are stored in the order in which they came.
    line: verb === 'ask' ? `${connection} ask ${about}` : `${connection} ${verb}`,
    bytes: subject.length + headers.length + msg.data.length,
  };
  return { asking, pace: Object.hasOwn(PACES, verb) ? (PACES[verb] as Pace) : OTHER };
};
