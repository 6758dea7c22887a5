import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { TlsFiles } from './tls-files.js';

/** From the begin of a handshake to its end. */
const HANDSHAKE_MS = 5_000;

interface Handshake {
  readonly resolve: (tls: TLSSocket) => void;
  readonly reject: (error: Error) => void;
}

/** The address of a peer: no two open connections have the same. */
const peerOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`;

const optionsOf = ({ cert, key, ca }: TlsFiles) => ({
  cert,
  key,
  minVersion: 'TLSv1.2' as const,
  ...(ca === undefined ? {} : { ca }),
});

/**
 * Begins TLS on connections that are open already: the greeting of NATS comes before. Node's own server of TLS does the
 * handshakes, and listens nowhere.
 */
export class Handshakes {
  readonly #server: Server;
  readonly #open = new Map<string, Handshake>();

  constructor(files: TlsFiles) {
    this.#server = createServer({
      ...optionsOf(files),
      handshakeTimeout: HANDSHAKE_MS,
      requestCert: files.ca !== undefined,
      // Judged later: a client learns why in a line of the protocol, and not by a connection that ends.
      rejectUnauthorized: false,
    });
    this.#server.on('secureConnection', (tls) => this.#take(tls)?.resolve(tls));
    this.#server.on('tlsClientError', (error, tls) => this.#take(tls)?.reject(error));
  }

  /** From now on these files count. */
  renew(files: TlsFiles): void {
    this.#server.setSecureContext(optionsOf(files));
  }

  secure(client: Socket): Promise<TLSSocket> {
    return new Promise((resolve, reject) => {
      const peer = peerOf(client);
      this.#open.set(peer, { resolve, reject });
      client.once('close', () => {
        if (this.#open.delete(peer)) reject(new Error('the client closed the connection'));
      });
      this.#server.emit('connection', client);
    });
  }

  #take(tls: TLSSocket): Handshake | undefined {
    const peer = peerOf(tls);
    const found = this.#open.get(peer);
    this.#open.delete(peer);
    return found;
  }
}
