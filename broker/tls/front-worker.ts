import { type AddressInfo, createServer } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import { MOST_CONNECTIONS, TlsAdmission } from '../../system/tls/tls-admission.js';
import { takeConnection } from './front-connection.js';
import type { FromFront, FrontThreadData } from './front-messages.js';

/** The thread that takes connections with TLS. To encrypt is work, and the broker's own thread has other work. */

const port = parentPort;
if (port === null) throw new Error('this is the program of a thread');
const { listen, serverPort } = workerData as FrontThreadData;
const tell = (message: FromFront): void => port.postMessage(message);
const admission = new TlsAdmission({
  paths: listen,
  mostHandshakes: 32,
  say: (text) => tell({ kind: 'said', text }),
});

const server = createServer((client) => {
  const admitted = admission.admit(client);
  if (admitted !== undefined)
    void takeConnection(client, { serverPort, admitted, needsCertificate: listen.ca !== undefined });
});
server.maxConnections = MOST_CONNECTIONS;
server.on('drop', () => admission.dropped());
server.on('error', (error) => tell({ kind: 'failed', text: error.message }));
server.listen({ host: listen.host, port: listen.port }, () =>
  tell({ kind: 'listening', port: (server.address() as AddressInfo).port }),
);
