import { connect, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { beginsTls } from '../../system/tls/first-bytes.js';
import type { AdmittedClient } from '../../system/tls/tls-admission.js';

const MAX_INFO_BYTES = 64 * 1024;
/**
 * What a client of NATS takes for a refusal. The stock command line prints the whole line only if it does not begin so;
 * the client for Node gives up only if the line has it.
 */
const REFUSAL = 'Authorization Violation';
const LOOPBACK = '127.0.0.1';

export interface FrontOptions {
  readonly serverPort: number;
  readonly admitted: AdmittedClient;
  /** Each client needs a certificate of the named authorities. */
  readonly needsCertificate: boolean;
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
export const takeConnection = async (
  client: Socket,
  { serverPort, admitted, needsCertificate }: FrontOptions,
): Promise<void> => {
  const server = connect({ host: LOOPBACK, port: serverPort });
  const end = (): void => {
    client.destroy();
    server.destroy();
  };
  // From here on no error of either is without a listener.
  client.on('error', end);
  // A client that ends before the server greets.
  client.on('close', end);
  server.on('error', end);
  client.setNoDelay(true);
  server.setNoDelay(true);
  try {
    const info = securedInfo(await firstLine(server), needsCertificate);
    if (info === undefined) throw new Error('the server does not greet');
    client.write(info);
    if (!(await beginsTls(client))) {
      admitted.refused('it sent no TLS');
      server.destroy();
      return say(client, 'Secure Connection - TLS Required');
    }
    const tls = await admitted.secure();
    tls.on('error', end);
    // What it sent before it ended still goes to the server.
    client.off('close', end);
    const refused = admitted.certificateFault(tls);
    if (refused !== undefined) {
      admitted.refused(refused);
      server.destroy();
      return say(tls, `${refused} (${REFUSAL})`);
    }
    joined(tls, server);
  } catch (error) {
    admitted.refused((error as Error).message);
    end();
  } finally {
    admitted.settled();
  }
};
