import { connect, type Socket } from 'node:net';
import { authenticatorOf } from '../../link/nkey.js';
import { everyOnGrid } from '../../system/async/grid.js';
import { type WireHandler, WireReader } from './wire-reader.js';

const REDIAL_MS = 100;
/** The server is asked so often whether it is there, and given up when nothing came since the last but one. */
const PING_MS = 5_000;
/** Read at once, bytes. */
const READ_BYTES = 512 * 1024;

export interface WireOptions {
  readonly url: string;
  readonly seed: string;
  readonly place: WireHandler['place'];
  readonly end: WireHandler['end'];
  /** The first connection is there. */
  readonly opened: () => void;
  /** There is none; `text`: why, where that is known. */
  readonly lost: (text: string) => void;
}

/** A connection that only reads. It is dialled again for ever, and subscribes again to what it did. */
export class Wire {
  readonly #subscriptions = new Map<number, string>();
  #socket: Socket | undefined;
  #isUp = false;
  #pongs: (() => void)[] = [];
  #heard = 0;
  #heardBefore = -1;

  constructor(private readonly options: WireOptions) {
    everyOnGrid(PING_MS, () => this.#ping());
    this.#dial();
  }

  subscribe(id: number, subject: string): void {
    this.#subscriptions.set(id, subject);
    if (this.#isUp) this.#socket?.write(`SUB ${subject} ${id}\r\n`);
  }

  unsubscribe(id: number): void {
    this.#subscriptions.delete(id);
    if (this.#isUp) this.#socket?.write(`UNSUB ${id}\r\n`);
  }

  /** `flushed`: the server knows what was written before, or there is no server. */
  flush(flushed: () => void): void {
    if (!this.#isUp) return flushed();
    this.#pongs.push(flushed);
    this.#socket?.write('PING\r\n');
  }

  #dial(): void {
    const { url, place, end, lost } = this.options;
    const { hostname, port } = new URL(url);
    const buffer = Buffer.alloc(READ_BYTES);
    let reason = '';
    const reader = new WireReader({
      place,
      end,
      line: (line) => {
        if (line.startsWith('-ERR')) reason = line.slice(5);
        this.#said(line, socket);
      },
    });
    const callback = (length: number): boolean => {
      this.#heard += length;
      try {
        reader.feed(buffer.subarray(0, length));
      } catch (error) {
        socket.destroy(error as Error);
      }
      return true;
    };
    const socket = connect({
      host: hostname,
      port: Number(port),
      noDelay: true,
      onread: { buffer, callback },
    });
    this.#socket = socket;
    this.#heardBefore = -1;
    socket.on('error', ({ message }) => (reason ||= message));
    socket.on('close', () => {
      this.#isUp = false;
      for (const flushed of this.#pongs.splice(0)) flushed();
      lost(reason);
      setTimeout(() => this.#dial(), REDIAL_MS * (1 + Math.random() / 2));
    });
  }

  #said(line: string, socket: Socket): void {
    if (line === 'PING') return void socket.write('PONG\r\n');
    if (line === 'PONG') return this.#pongs.shift()?.();
    if (!line.startsWith('INFO ') || this.#isUp) return;
    const { nonce } = JSON.parse(line.slice(5)) as { readonly nonce?: string };
    const who = authenticatorOf(this.options.seed)(nonce);
    const connectAs = {
      ...who,
      name: 'tallystick broker, people',
      lang: 'tallystick',
      version: '1',
      protocol: 1,
    };
    const how = { verbose: false, pedantic: false, headers: true, no_responders: true, echo: true };
    socket.write(`CONNECT ${JSON.stringify({ ...connectAs, ...how })}\r\n`);
    this.#isUp = true;
    for (const [id, subject] of this.#subscriptions) socket.write(`SUB ${subject} ${id}\r\n`);
    this.flush(() => {
      if (this.#isUp) this.options.opened();
    });
  }

  #ping(): void {
    if (this.#heard === this.#heardBefore) this.#socket?.destroy(new Error('the server is silent'));
    this.#heardBefore = this.#heard;
    this.flush(() => undefined);
  }
}
