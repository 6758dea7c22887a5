import { connect, type Socket } from 'node:net';

const MOST_BYTES = 4_000_000;
/** A stream of events, and what waits, does not end: such a connection is left after a while. */
const LEAVE_MS = 1_000;

/** All that comes back for bytes until the other side closes, one byte a character. `isHalf`: we close our half. */
export const rawExchange = (
  port: number,
  bytes: Uint8Array,
  { isHalf }: { readonly isHalf: boolean },
): Promise<string> =>
  new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(port, '127.0.0.1', () => (isHalf ? socket.end(bytes) : socket.write(bytes)));
    const leave = setTimeout(() => socket.destroy(), LEAVE_MS);
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => {
      text += chunk;
      // Without the end of our half the server may keep the connection: the first bytes are its answer.
      if (text.length > MOST_BYTES || !isHalf) socket.destroySoon();
    });
    socket.on('close', () => {
      clearTimeout(leave);
      resolve(text);
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') reject(error);
    });
  });

const DRIP_MS = 1_000;

/** A connection that does not end its request. */
export interface HeldConnection {
  /** Closed by the server, with all that it sent. */
  readonly ended: Promise<string>;
  readonly close: () => void;
}

const HELD = [
  '',
  'GET',
  'GET /healthz HTTP/1.1\r\nHost: 127',
  'POST /v1/calls/accounts/deposit/a HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{',
  'POST /v1/calls/accounts/deposit/a HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{',
];

/** Begins a request and does not end it. Each second connection sends a byte each second. */
export const holdConnection = (port: number, index: number): HeldConnection => {
  const socket: Socket = connect(port, '127.0.0.1', () => socket.write(HELD[index % HELD.length] ?? ''));
  let text = '';
  const drip = index % 2 === 0 ? undefined : setInterval(() => socket.writable && socket.write('a'), DRIP_MS);
  socket.setEncoding('latin1');
  socket.on('data', (chunk: string) => {
    text += chunk;
  });
  socket.on('error', () => undefined);
  const ended = new Promise<string>((resolve) =>
    socket.on('close', () => {
      clearInterval(drip);
      resolve(text);
    }),
  );
  return { ended, close: () => socket.destroy() };
};
