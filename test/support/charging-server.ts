import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a server outside has seen of one idempotency key. */
interface Charged {
  readonly name: string;
  readonly id: number;
  requests: number;
}

/** A server that has an effect once for each idempotency key. */
export interface ChargingServer extends AsyncDisposable {
  readonly url: string;
  /** By key. */
  readonly effects: ReadonlyMap<string, Charged>;
  /** Requests without a key. */
  readonly unkeyed: number;
  /** So many next requests are refused. */
  refuses: number;
}

/** `delayMs`: how late a reply is, so that replies come in another order each time. */
export const startChargingServer = async (delayMs?: () => number): Promise<ChargingServer> => {
  const effects = new Map<string, Charged>();
  const state = { unkeyed: 0, refuses: 0 };
  const server = createServer((request, reply) => {
    const key = request.headers['idempotency-key'];
    request.resume();
    if (typeof key !== 'string') {
      state.unkeyed += 1;
      reply.writeHead(400).end();
      return;
    }
    if (state.refuses > 0) {
      state.refuses -= 1;
      reply.writeHead(503).end();
      return;
    }
    const name = decodeURIComponent((request.url ?? '/').slice(1));
    const known = effects.get(key) ?? { name, id: effects.size + 1, requests: 0 };
    known.requests += 1;
    effects.set(key, known);
    reply.writeHead(200, { 'Content-Type': 'application/json' });
    const end = (): unknown => reply.end(JSON.stringify({ id: known.id, name: known.name }));
    if (delayMs === undefined) end();
    else setTimeout(end, delayMs());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    effects,
    get unkeyed() {
      return state.unkeyed;
    },
    get refuses() {
      return state.refuses;
    },
    set refuses(count) {
      state.refuses = count;
    },
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
