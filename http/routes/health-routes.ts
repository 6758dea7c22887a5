import * as E from 'fp-ts/lib/Either.js';
import type { FastifyInstance } from 'fastify';
import type { PrincipalLinks } from '../requests/principal-links.js';
import { sendFault } from '../requests/http-problem.js';
import { relay } from '../requests/relay.js';

/** Every account may ask for this: the broker replies without a look at the log. */
const DISCOVERY = '$SRV.PING';
const READY_MS = 2_000;

/** `/healthz`: this process serves. `/readyz`: the broker behind it answers too. */
export const serveHealth = (app: FastifyInstance, links: PrincipalLinks): void => {
  app.get('/healthz', async () => ({ status: 'ok' }));
  app.get('/readyz', async (request, reply) => {
    const said = await relay(links, request.headers.authorization, {
      subject: DISCOVERY,
      payload: new Uint8Array(),
      headers: {},
      timeoutMs: READY_MS,
      mayStore: false,
    })();
    return E.isLeft(said) ? sendFault(reply, said.left) : { status: 'ready' };
  });
};
