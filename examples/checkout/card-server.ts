import { createServer } from 'node:http';

/** Where the shop finds the bank of this example. */
export const BANK = 'http://127.0.0.1:4291';

interface Charge {
  readonly order: string;
  readonly amount: number;
}

export interface Bank extends AsyncDisposable {
  /** What was charged for an order and not refunded. */
  readonly charged: (order: string) => number;
}

/** A bank that does each request once for its `Idempotency-Key`, as real ones do. */
export const startBank = async (): Promise<Bank> => {
  const done = new Set<string>();
  const balance = new Map<string, number>();
  const server = createServer(async (request, reply) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    const key = String(request.headers['idempotency-key']);
    const { order, amount }: Charge = JSON.parse(text);
    if (!done.has(key)) {
      done.add(key);
      const before = balance.get(order) ?? 0;
      balance.set(order, request.url === '/refunds' ? 0 : before + amount);
    }
    reply.setHeader('Content-Type', 'application/json').end(JSON.stringify({ order }));
  });
  await new Promise<void>((resolve) => server.listen(Number(new URL(BANK).port), '127.0.0.1', resolve));
  return {
    charged: (order) => balance.get(order) ?? 0,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
