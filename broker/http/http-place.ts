import { createServer, type Server, type Socket } from 'node:net';
import { hostPort } from '../../schemas/listen.js';

const LISTEN_AGAIN_MS = 250;

export interface HttpPlaceOptions {
  readonly host: string;
  /** Its connections begin TLS. */
  readonly isSecure: boolean;
  /** Takes a connection that came before a process has the listener. */
  readonly hand: (place: HttpPlace, connection: Socket) => void;
  readonly say: (text: string) => void;
}

/** An address of HTTP. The broker listens there until a process serves it, and again when that process has ended. */
export class HttpPlace {
  #port = 0;
  #server: Server | undefined;
  #isClosed = false;

  constructor(private readonly options: HttpPlaceOptions) {}

  get isSecure(): boolean {
    return this.options.isSecure;
  }

  get url(): string {
    return `${this.isSecure ? 'https' : 'http'}://${hostPort(this.options.host, this.#port)}`;
  }

  /** Listens; rejects if the port is taken. */
  listen(port: number): Promise<void> {
    const server = createServer({ pauseOnConnect: true }, (socket) => this.options.hand(this, socket));
    this.#server = server;
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, this.options.host, () => {
        this.#port = (server.address() as { readonly port: number }).port;
        server.off('error', reject);
        server.on('error', (error) => this.options.say(`HTTP: ${error.message}`));
        resolve();
      });
    });
  }

  /** Gives the listener away: `send` sends it to a process, and then calls back. */
  give(send: (server: Server, sent: () => void) => void): void {
    const server = this.#server;
    if (server === undefined) return;
    send(server, () => {
      server.close();
      if (this.#server === server) this.#server = undefined;
    });
  }

  /** Listens again on the port that it had. */
  listenAgain(): void {
    if (this.#isClosed) return;
    this.listen(this.#port).catch((error: Error) => {
      this.options.say(`HTTP cannot listen on port ${this.#port}: ${error.message}; it tries again`);
      setTimeout(() => this.listenAgain(), LISTEN_AGAIN_MS).unref();
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#server?.close();
  }
}
