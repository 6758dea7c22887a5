import type { Server } from 'node:http';
import type { Server as Listener, Socket } from 'node:net';
import type { HttpAssignment, HttpHandle, RightsNews } from '../schemas/http-process.js';
import { buildApp } from './http-app.js';
import { LocalStates } from './requests/local-states.js';
import { PrincipalLinks } from './requests/principal-links.js';

/**
 * The process that serves HTTP. The broker starts it with the first connection, and hands it the listening socket. It
 * is a client of the broker, as any other: what it may do is what the tokens of its requests may do.
 */
const main = async (): Promise<void> => {
  const { natsUrl } = JSON.parse(process.argv[2] ?? '{}') as HttpAssignment;
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
  const server: Server = app.server;
  process.on('message', (message: HttpHandle | RightsNews, handle?: Listener | Socket) => {
    if (handle === undefined) return;
    void ready.then(() => {
      if (message.kind === 'listener') server.listen(handle as Listener);
      else {
        server.emit('connection', handle);
        (handle as Socket).resume();
      }
    });
  });
  // The broker stops, or is gone.
  process.once('disconnect', () => {
    void app.close().then(async () => {
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
