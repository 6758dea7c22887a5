import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { nkeyAuthenticator } from 'nats';
import { ServerLines } from './server-lines.js';

/** How a message with a reply subject ended. */
export type Ending =
  | { readonly type: 'answer'; readonly headers: string; readonly body: Buffer }
  /** It reaches nobody, and the server says so. */
  | { readonly type: 'nobody' }
  /** The server refused it to this account, aloud. */
  | { readonly type: 'refused' }
  /** The connection ended before an answer came. */
  | { readonly type: 'cut' }
  | { readonly type: 'silence' };

export interface Sent {
  /** Bytes, one a character. */
  readonly subject: string;
  readonly headers?: Buffer;
  readonly payload: Buffer;
  /** How long to wait for an answer. */
  readonly patienceMs: number;
}

interface Pending {
  readonly subject: string;
  readonly until: number;
  readonly settle: (ending: Ending) => void;
}

const plain = (text: string): string => text.replaceAll(/[^A-Za-z0-9.*>$_~-]/g, '');

/**
 * Whether a subject is the one that the server quotes, as Go does: word for word where nothing is escaped, else the same
 * without what is.
 */
const isQuoted = (subject: string, quoted: string): boolean =>
  quoted.includes('\\')
    ? plain(subject) !== subject &&
      plain(subject) === plain(quoted.replaceAll(/\\(x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8}|.)/g, ''))
    : subject === quoted;

const REFUSED = /^'Permissions Violation for Publish to "(.*)"'$/;

let opened = 0;

/**
 * A connection that sends what a client library would not: any bytes as subject, headers and payload. It answers pings and
 * finds the answer of each request; nothing else.
 */
export class Wire {
  readonly #pending = new Map<number, Pending>();
  readonly #lines = new ServerLines();
  readonly #inbox = `_INBOX.fuzz${process.pid}x${++opened}`;
  readonly #flushes: (() => void)[] = [];
  #number = 0;
  #closed = false;
  /** The last error that the server said. */
  lastError: string | undefined;

  private constructor(private readonly socket: Socket) {}

  /** Connects as whoever has the seed; as the guest without one. */
  static async open(url: string, seed?: string): Promise<Wire> {
    const { hostname, port } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    const wire = new Wire(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => wire.#end());
    const info = new Promise<string>((resolve, reject) => {
      socket.on('close', () => reject(new Error(`the server closed: ${wire.lastError}`)));
      socket.on('data', (chunk: Buffer) => {
        for (const line of wire.#lines.add(chunk)) {
          if (line.type === 'info') resolve(line.nonce ?? '');
          else if (line.type === 'message') wire.#answered(line.subject, line.headers, line.body);
          else if (line.type === 'error') wire.#error(line.text);
          else if (line.type === 'ping') socket.write('PONG\r\n');
          else if (line.type === 'pong') wire.#flushes.shift()?.();
        }
      });
    });
    const nonce = await info;
    const auth = seed === undefined ? {} : nkeyAuthenticator(new TextEncoder().encode(seed))(nonce);
    const options = {
      verbose: false,
      pedantic: false,
      headers: true,
      no_responders: true,
      lang: 'fuzz',
      version: '1',
      protocol: 1,
      ...auth,
    };
    socket.write(`CONNECT ${JSON.stringify(options)}\r\nSUB ${wire.#inbox}.* 1\r\n`);
    await wire.flush();
    if (wire.#closed) throw new Error(`the server closed: ${wire.lastError}`);
    return wire;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Sends a message; resolves once the socket takes more. `settle` is called exactly once. */
  async request(
    { subject, headers, payload, patienceMs }: Sent,
    settle: (ending: Ending) => void,
  ): Promise<void> {
    if (this.#closed) return settle({ type: 'cut' });
    const number = ++this.#number;
    this.#pending.set(number, { subject, until: performance.now() + patienceMs, settle });
    const reply = `${this.#inbox}.${number}`;
    const line =
      headers === undefined
        ? `PUB ${subject} ${reply} ${payload.length}\r\n`
        : `HPUB ${subject} ${reply} ${headers.length} ${headers.length + payload.length}\r\n`;
    const head = Buffer.from(line, 'latin1');
    const end = Buffer.from('\r\n');
    const bytes = Buffer.concat(headers === undefined ? [head, payload, end] : [head, headers, payload, end]);
    if (!this.socket.write(bytes)) {
      await Promise.race([once(this.socket, 'drain'), once(this.socket, 'close')]).catch(() => undefined);
    }
  }

  /** Resolves when the server has read all that was sent, or the connection has ended. */
  flush(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    return new Promise((resolve) => {
      this.#flushes.push(resolve);
      this.socket.write('PING\r\n');
    });
  }

  /** Gives up what has waited for as long as it should. */
  giveUp(): void {
    const now = performance.now();
    for (const [number, { until, settle }] of this.#pending) {
      if (until > now) continue;
      this.#pending.delete(number);
      settle({ type: 'silence' });
    }
  }

  close(): void {
    this.socket.destroy();
  }

  #answered(subject: string, headers: string, body: Buffer): void {
    const number = Number(subject.slice(subject.lastIndexOf('.') + 1));
    const pending = this.#pending.get(number);
    if (pending === undefined) return; // A second answer, as of discovery or a pull.
    this.#pending.delete(number);
    pending.settle(
      body.length === 0 && headers.startsWith('NATS/1.0 503')
        ? { type: 'nobody' }
        : { type: 'answer', headers, body },
    );
  }

  #error(text: string): void {
    this.lastError = text;
    const refused = REFUSED.exec(text)?.[1];
    if (refused === undefined) return;
    for (const [number, pending] of this.#pending) {
      if (!isQuoted(pending.subject, refused)) continue;
      this.#pending.delete(number);
      return pending.settle({ type: 'refused' });
    }
  }

  #end(): void {
    this.#closed = true;
    for (const resolve of this.#flushes.splice(0)) resolve();
    const cut = [...this.#pending.values()];
    this.#pending.clear();
    for (const { settle } of cut) settle({ type: 'cut' });
  }
}

/** How long a server may take to say all that it says to a script. */
const SCRIPT_MS = 1_000;

/** Writes these to a connection of its own and ends it. What the server makes of it shows in how it does afterwards. */
export const runScript = async (url: string, writes: readonly Buffer[]): Promise<void> => {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  socket.on('error', () => undefined);
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  const timer = setTimeout(() => socket.destroy(), SCRIPT_MS);
  // What comes back is read, or the server would wait with the rest.
  socket.resume();
  for (const bytes of writes) {
    await new Promise<void>((resolve) => socket.write(bytes, () => resolve()));
  }
  socket.end();
  await closed;
  clearTimeout(timer);
};
