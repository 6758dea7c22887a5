import { type AddressInfo, createServer } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import { isLeft } from 'fp-ts/lib/Either.js';
import { Seldom } from '../../system/lines/seldom.js';
import { takeConnection } from './front-connection.js';
import type { FromFront, FrontThreadData } from './front-messages.js';
import { Handshakes } from './handshakes.js';
import { readTlsFiles, tlsFilesMark } from './tls-files.js';

/** The thread that takes connections with TLS. To encrypt is work, and the broker's own thread has other work. */

/** Connections at a time, with those whose handshake is not over. */
const MOST_CONNECTIONS = 1_024;
/** Handshakes of one address at a time: one that begins many and ends none leaves the others room. */
const MOST_HANDSHAKES = 32;

const port = parentPort;
if (port === null) throw new Error('this is the program of a thread');
const { listen, serverPort } = workerData as FrontThreadData;
const tell = (message: FromFront): void => port.postMessage(message);
const say = (text: string): void => tell({ kind: 'said', text });
const seldom = new Seldom(say);

let mark = '';
let handshakes: Handshakes | undefined;

/** With the certificate of now: a renewed one counts for the next connection, an unusable one changes nothing. */
const current = (): Handshakes | undefined => {
  const now = tlsFilesMark(listen);
  if (now === mark) return handshakes;
  mark = now;
  const files = readTlsFiles(listen);
  const before = handshakes;
  if (isLeft(files)) {
    say(
      `${files.left.code}: ${files.left.message}${before === undefined ? '' : '; the certificate before stays in use'}`,
    );
    return before;
  }
  try {
    handshakes ??= new Handshakes(files.right);
    before?.renew(files.right);
    if (before !== undefined) say(`the certificate in ${listen.cert} is in use`);
  } catch (error) {
    say(`the files of TLS cannot be used: ${(error as Error).message}`);
  }
  return handshakes;
};

/** Handshakes that are not over, by address. */
const begun = new Map<string, number>();

const server = createServer((client) => {
  const from = client.remoteAddress ?? '?';
  const count = begun.get(from) ?? 0;
  const secure = current();
  if (secure === undefined || count >= MOST_HANDSHAKES) {
    const why =
      secure === undefined ? 'there is no certificate' : `${count} handshakes of that address are not over`;
    seldom.say(`a connection from ${from} was refused: ${why}`);
    return client.destroy();
  }
  begun.set(from, count + 1);
  void takeConnection(client, {
    serverPort,
    handshakes: secure,
    needsCertificate: listen.ca !== undefined,
    refused: (why) => seldom.say(`a connection from ${from} was refused: ${why}`),
    settled: () => {
      const left = (begun.get(from) ?? 1) - 1;
      if (left === 0) begun.delete(from);
      else begun.set(from, left);
    },
  });
});
server.maxConnections = MOST_CONNECTIONS;
server.on('drop', () => seldom.say(`a connection was refused: ${MOST_CONNECTIONS} are open`));
server.on('error', (error) => tell({ kind: 'failed', text: error.message }));
current();
server.listen({ host: listen.host, port: listen.port }, () =>
  tell({ kind: 'listening', port: (server.address() as AddressInfo).port }),
);
