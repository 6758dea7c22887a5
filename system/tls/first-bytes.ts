import type { Socket } from 'node:net';

/** Begins the first record of each handshake of TLS. */
const HANDSHAKE = 0x16;

/** The first bytes of a client; they stay to be read. Rejects if it closes the connection before. */
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

/** Whether a client begins TLS, as soon as it sends something. Rejects if it closes the connection before. */
export const beginsTls = async (client: Socket): Promise<boolean> =>
  (await firstBytes(client))[0] === HANDSHAKE;
