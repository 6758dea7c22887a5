import type { Msg } from 'nats';
import { HEADER } from '../../schemas/headers.js';
import { headerBytesOf, headerOf } from '../../link/message-headers.js';
import type { ConnectionLimits } from './connection-queue.js';
import type { Asking } from './waiting-requests.js';

/** What is answered at once makes room at once for the next, and what it leaves in the module's line grows. */
const AMONG_OTHERS_MS = 8;
/** One large call is as long on its way as many small ones. */
const AMONG_OTHERS_BYTES = 128 * 1024;

/** Of one connection for one module: so many others' calls stand before yours in the module's line, at most. */
const PACES: Readonly<Record<string, ConnectionLimits>> = {
  ask: {
    isForReply: true,
    inFlight: 64,
    // Records of many calls share one sync of the disk.
    quick: { ms: 250, inFlight: 1_024 },
    amongOthers: 8,
    amongOthersBytes: AMONG_OTHERS_BYTES,
  },
  // Answered when it is stored: what waits then waits in the log.
  send: {
    inFlight: 1_024,
    amongOthers: 16,
    amongOthersMs: AMONG_OTHERS_MS,
    amongOthersBytes: AMONG_OTHERS_BYTES,
  },
  // It waits as long as a call does.
  result: { isForReply: true, inFlight: 64, amongOthers: 16, amongOthersMs: AMONG_OTHERS_MS },
  // A thread reads them one after the other. Some wait for a sequence.
  state: { inFlight: 64, amongOthers: 16, amongOthersMs: AMONG_OTHERS_MS },
  // It waits for events.
  'next-events': { isForReply: true, inFlight: 128, amongOthersMs: AMONG_OTHERS_MS },
  subscription: { inFlight: 64, amongOthersMs: AMONG_OTHERS_MS },
  // These run one after the other for all callers: one more keeps them busy.
  schedule: { inFlight: 2 },
  producer: { inFlight: 1, waiting: 100 },
  // Of a module, but of none of its handlers. No limit on what waits for results: one may wait for another.
  call: { inFlight: 10_000, amongOthers: 16, amongOthersBytes: AMONG_OTHERS_BYTES },
  // They keep their places until they are stored, so none waits for the result of another.
  'handler-call': { inFlight: 4_096, amongOthers: 64, amongOthersBytes: 8 * AMONG_OTHERS_BYTES },
};

/** The calls that handlers make go apart from all else that their module asks. */
const kindOf = (verb: string, about: string, msg: Msg): string => {
  // Acknowledgements wait for no request that waits for events.
  if (verb === 'subscription' && about === 'next') return 'next-events';
  return verb === 'call' && headerOf(msg, HEADER.call) !== undefined ? 'handler-call' : verb;
};

const OTHER: ConnectionLimits = { inFlight: 16, amongOthersMs: AMONG_OTHERS_MS };

/**
 * Who asks by this message, and at what pace; `connection`: the account, as its subject says, and the number and
 * start of the connection.
 */
export const askingOf = (
  msg: Msg,
  connection: string,
): { readonly asking: Asking; readonly pace: ConnectionLimits } => {
  const { subject } = msg;
  const [verb = '', about = ''] = subject.split('.', 2);
  const kind = kindOf(verb, about, msg);
  const headers = headerBytesOf(msg);
  const asking = {
    account: connection.slice(0, connection.indexOf('/')),
    connection,
    // Of calls a line for each module. All others in one line: commands are stored in the order in which they came.
    line: kind === 'ask' ? `${connection} ask ${about}` : `${connection} ${kind}`,
    bytes: subject.length + headers.length + msg.data.length,
  };
  return { asking, pace: Object.hasOwn(PACES, kind) ? (PACES[kind] as ConnectionLimits) : OTHER };
};
