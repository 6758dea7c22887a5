import { connect, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Handshakes } from './handshakes.js';

/** From the first byte to the end of the handshake. */
const HANDSHAKE_MS = 8_000;
const MAX_INFO_BYTES = 64 * 1024;
/**
 * What a client of NATS takes for a refusal. The stock command line prints the whole line only if it does not begin so;
 * the client for Node gives up only if the line has it.
 */
const REFUSAL = 'Authorization Violation';
/** Begins the first record of each handshake of TLS. */
const HANDSHAKE = 0x16;
const LOOPBACK = '127.0.0.1';

export interface FrontOptions {
  readonly serverPort: number;
  readonly handshakes: Pick<Handshakes, 'secure'>;
  /** Each client needs a certificate of the named authorities. */
  readonly needsCertificate: boolean;
  /** Why a connection was refused. */
  readonly refused: (why: string) => void;
  /** The handshake is over: well or badly. */
  readonly settled: () => void;
}

const errorLine = (text: string): string => `-ERR '${text.replace(/['\r\n]+/g, ' ')}'\r\n`;

/**
 * The greeting of the server, as a client that must use TLS needs it. Its nonce is for this connection, so it is passed
 * on. Undefined if it is no greeting.
 */
const securedInfo = (line: string, needsCertificate: boolean): string | undefined => {
  try {
    const info = JSON.parse(line.slice('INFO '.length)) as Record<string, unknown>;
    return `INFO ${JSON.stringify({ ...info, tls_required: true, ...(needsCertificate ? { tls_verify: true } : {}) })}\r\n`;
  } catch {
    return undefined;
  }
};

/** The first line of the server, and what came behind it. */
const firstLine = (server: Socket): Promise<string> =>
  new Promise((resolve, reject) => {
    let text = Buffer.alloc(0);
    const heard = (piece: Buffer): void => {
      text = Buffer.concat([text, piece]);
      const end = text.indexOf('\r\n');
      if (end < 0 && text.length <= MAX_INFO_BYTES) return;
      server.off('data', heard);
      server.pause();
      if (end < 0) return reject(new Error('the server does not greet'));
      if (text.length > end + 2) server.unshift(text.subarray(end + 2));
      resolve(text.subarray(0, end).toString('utf8'));
    };
    server.on('data', heard);
    server.once('error', reject);
    server.once('close', () => reject(new Error('the server closed the connection')));
  });

/** The first bytes of a client; they stay to be read. */
const firstBytes = (client: Socket): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    client.once('data', (piece: Buffer) => {
      client.pause();
      client.unshift(piece);
      resolve(piece);
    });
    client.once('error', reject);
    client.once('close', () => reject(new Error('the client closed the connection')));
  });

/** Why a client's certificate does not do; undefined if it does. */
const certificateFault = (tls: TLSSocket): string | undefined => {
  const peer = tls.getPeerCertificate();
  if (Object.keys(peer).length === 0) return 'TLS Client Certificate Required';
  // The types name an error; Node gives its code.
  const reason = (tls as { readonly authorizationError?: Error | string | null }).authorizationError;
  return tls.authorized
    ? undefined
    : `TLS Client Certificate Refused: ${String(reason ?? 'it is not trusted')}`;
};

/** Ends a connection after its last line has gone. */
const say = (socket: Socket, text: string): void => {
  socket.end(errorLine(text));
  socket.resume();
  setTimeout(() => socket.destroy(), 1_000).unref();
};

const joined = (tls: TLSSocket, server: Socket): void => {
  tls.on('close', () => server.destroy());
  server.on('close', () => tls.destroy());
  tls.pipe(server);
  server.pipe(tls);
};

/**
 * Takes a connection of a client: greets as the server does, has the client begin TLS, and then passes the bytes on to
 * the server. The server judges the client by its token, as it does on loopback.
 */
export const takeConnection = async (client: Socket, options: FrontOptions): Promise<void> => {
  const server = connect({ host: LOOPBACK, port: options.serverPort });
  const end = (): void => {
    client.destroy();
    server.destroy();
  };
  // From here on no error of either is without a listener.
  client.on('error', end);
  server.on('error', end);
  client.setNoDelay(true);
  server.setNoDelay(true);
  const timer = setTimeout(() => {
    options.refused('no handshake in time');
    end();
  }, HANDSHAKE_MS);
  try {
    const info = securedInfo(await firstLine(server), options.needsCertificate);
    if (info === undefined) throw new Error('the server does not greet');
    client.write(info);
    const [first] = await firstBytes(client);
    if (first !== HANDSHAKE) {
      options.refused('it sent no TLS');
      server.destroy();
      return say(client, 'Secure Connection - TLS Required');
    }
    const tls = await options.handshakes.secure(client);
    tls.on('error', end);
    const refused = options.needsCertificate ? certificateFault(tls) : undefined;
    if (refused !== undefined) {
      options.refused(refused);
      server.destroy();
      return say(tls, `${refused} (${REFUSAL})`);
    }
    joined(tls, server);
  } catch (error) {
    options.refused((error as Error).message);
    end();
  } finally {
    clearTimeout(timer);
    options.settled();
  }
};
