import { connect as dial, type Socket } from 'node:net';
import { waitFor } from './wait-for.js';

/** A message as its bytes; without `headers` it has none. */
export interface RawMessage {
  readonly subject: Uint8Array;
  readonly headers?: Uint8Array | undefined;
  readonly data: Uint8Array;
}

/** Bytes and messages on their way to a stream at a time; more the server answers with 429, or drops. */
const WINDOW_BYTES = 16 * 1024 * 1024;
const WINDOW_MESSAGES = 5_000;

const encoded = ({ subject, headers, data }: RawMessage, reply: string): Buffer => {
  const sizes =
    headers === undefined ? `${data.length}` : `${headers.length} ${headers.length + data.length}`;
  return Buffer.concat([
    Buffer.from(headers === undefined ? 'PUB ' : 'HPUB '),
    subject,
    Buffer.from(` ${reply} ${sizes}\r\n`),
    headers ?? Buffer.alloc(0),
    data,
    Buffer.from('\r\n'),
  ]);
};

/** Speaks the protocol itself: whatever bytes the server stores can be stored. */
export class RawWriter implements AsyncDisposable {
  #received = '';
  #stored = 0;
  #refused: string | undefined;

  private constructor(private readonly socket: Socket) {
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => this.#read(chunk.toString('latin1')));
  }

  static async connect(url: string): Promise<RawWriter> {
    const { hostname, port } = new URL(url);
    const socket = dial(Number(port), hostname);
    const writer = new RawWriter(socket);
    const options = { verbose: false, pedantic: false, headers: true, no_responders: true, lang: 'raw' };
    socket.write(`CONNECT ${JSON.stringify(options)}\r\nSUB _INBOX.raw 1\r\n`);
    return writer;
  }

  /** Stores them in their order. Throws where the stream does not take one. */
  async store(messages: Iterable<RawMessage>): Promise<void> {
    const open: number[] = [];
    let [bytes, counted] = [0, this.#stored];
    const settle = async (most: number, mostMessages: number): Promise<void> => {
      await waitFor(
        'the stream to store what is on its way',
        () => {
          if (this.#refused !== undefined) return true;
          for (; counted < this.#stored; counted++) bytes -= open.shift() ?? 0;
          return bytes <= most && open.length <= mostMessages;
        },
        60_000,
      );
      if (this.#refused !== undefined) throw new Error(this.#refused);
    };
    for (const message of messages) {
      const operation = encoded(message, '_INBOX.raw');
      if (bytes + operation.length > WINDOW_BYTES || open.length >= WINDOW_MESSAGES)
        await settle(WINDOW_BYTES / 2, WINDOW_MESSAGES / 2);
      this.socket.write(operation);
      open.push(operation.length);
      bytes += operation.length;
    }
    await settle(0, 0);
  }

  #read(text: string): void {
    const lines = (this.#received + text).split('\r\n');
    this.#received = lines.pop() ?? '';
    for (const line of lines) {
      if (line.startsWith('PING')) this.socket.write('PONG\r\n');
      else if (line.startsWith('{"stream":') && !line.includes('"duplicate"')) this.#stored += 1;
      else if (line.startsWith('-ERR') || line.startsWith('NATS/1.0 503') || line.startsWith('{"error"'))
        this.#refused ??= line;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.destroy();
  }
}
