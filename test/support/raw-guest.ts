import { connect as dial, type Socket } from 'node:net';

/** A guest's connection as bytes: it says what a client library would not, and reads only when it is told to. */
export interface RawGuest extends Disposable {
  /** All that the server has sent so far; grows while it reads. */
  readonly heard: () => string;
  readonly bytes: () => number;
  readonly isClosed: () => boolean;
  readonly send: (text: string) => void;
  /** Waits until the server has answered a PING, or has closed the connection. */
  readonly settled: () => Promise<void>;
  readonly pause: () => void;
  readonly resume: () => void;
}

const HEARD_CHARACTERS = 65_536;

export const rawGuest = async (url: string): Promise<RawGuest> => {
  const { port, hostname } = new URL(url.replace('nats:', 'http:'));
  const socket: Socket = dial(Number(port), hostname);
  let [heard, bytes, pongs, closed] = ['', 0, 0, false];
  let wake = (): void => undefined;
  socket.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    heard = (heard + chunk.toString('latin1')).slice(-HEARD_CHARACTERS);
    pongs += chunk.toString('latin1').split('PONG\r\n').length - 1;
    wake();
  });
  socket.on('error', () => undefined);
  socket.on('close', () => {
    closed = true;
    wake();
  });
  const settled = async (): Promise<void> => {
    const before = pongs;
    if (!closed) socket.write('PING\r\n');
    while (!closed && pongs === before) await new Promise<void>((resume) => (wake = resume));
  };
  socket.write('CONNECT {"verbose":false,"pedantic":false,"headers":true,"protocol":1}\r\n');
  await settled();
  return {
    heard: () => heard,
    bytes: () => bytes,
    isClosed: () => closed,
    send: (text) => void socket.write(text),
    settled,
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    [Symbol.dispose]: () => void socket.destroy(),
  };
};
