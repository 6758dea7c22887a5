import type { Server } from 'node:http';
import { createServer, type Server as Listener, type Socket } from 'node:net';
import type { HttpAssignment, HttpHandle, RightsNews } from '../schemas/http-process.js';
import { MOST_CONNECTIONS, TlsAdmission } from '../system/tls/tls-admission.js';
import { buildApp } from './http-app.js';
import { untilResponded } from './open-responses.js';
import { LocalStates } from './requests/local-states.js';
import { PrincipalLinks } from './requests/principal-links.js';
import { secureConnections } from './secure-connections.js';

/** A client of HTTP opens many connections at once. */
const MOST_HANDSHAKES = 256;

/** Takes connections that begin TLS, and passes them on to the server of HTTP. */
const secureServer = (paths: NonNullable<HttpAssignment['tls']>, server: Server): Listener => {
  const admission = new TlsAdmission({
    paths,
    mostHandshakes: MOST_HANDSHAKES,
    say: (text) => process.stderr.write(`${text}\n`),
  });
  const secure = createServer(
    secureConnections(admission, (connection) => server.emit('connection', connection)),
  );
  secure.maxConnections = MOST_CONNECTIONS;
  secure.on('drop', () => admission.dropped());
  return secure;
};

/**
 * The process that serves HTTP. The broker starts it with the first connection, and hands it the listening sockets. It
 * is a client of the broker, as any other: what it may do is what the tokens of its requests may do.
 */
const main = async (): Promise<void> => {
  const { natsUrl, tls } = JSON.parse(process.argv[2] ?? '{}') as HttpAssignment;
  const links = new PrincipalLinks({ natsUrl });
  const states = new LocalStates(links, {
    send: (question) => process.send?.(question, () => undefined),
    onNews: (hear) =>
      process.on('message', (message: HttpHandle | RightsNews) => {
        if (message.kind === 'rights' || message.kind === 'forget') hear(message);
      }),
  });
  const app = buildApp(links, { states });
  const ready = app.ready();
  const plain: Server = app.server;
  const responded = untilResponded(plain);
  const secure = tls === undefined ? undefined : secureServer(tls, plain);
  const take = (server: Listener, kind: HttpHandle['kind'], handle: Listener | Socket): void => {
    if (kind === 'listener') return void server.listen(handle as Listener);
    server.emit('connection', handle);
    (handle as Socket).resume();
  };
  process.on('message', (message: HttpHandle | RightsNews, handle?: Listener | Socket) => {
    if (handle === undefined || message.kind === 'rights' || message.kind === 'forget') return;
    const server = message.isSecure ? secure : plain;
    if (server !== undefined) void ready.then(() => take(server, message.kind, handle));
  });
  // The broker stops, or is gone.
  process.once('disconnect', () => {
    secure?.close();
    void app.close().then(async () => {
      await responded();
      await links.close();
      await states.close();
      process.exit(0);
    });
  });
  // A Ctrl-C goes to all processes of the terminal, and the broker decides when this one ends.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
  await ready;
};

await main();
