import { defineModule, ok, Type } from 'tallystick';
import stock from './stock.ts';

const DAY_MS = 24 * 3_600_000;

const Order = Type.Object({
  article: Type.String(),
  count: Type.Integer({ minimum: 1 }),
  price: Type.Integer({ minimum: 1 }),
});

/** Asks the bank. It does a request once for its key, however often the step runs. */
const ask = async (url: string, body: object, key: string, signal: AbortSignal): Promise<void> => {
  const headers = { 'Content-Type': 'application/json', 'Idempotency-Key': key };
  const reply = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body), signal });
  if (!reply.ok) throw new Error(`the bank says ${reply.status}`);
};

export default defineModule({
  name: 'checkout',
  version: '1.0.0',
  description: 'Sells articles: reserves them, charges the card, and waits up to a day for the confirmation.',
  dependencies: { stock: ['reserve', 'release'] },
  config: Type.Object({ bank: Type.String({ default: 'http://127.0.0.1:4291' }) }),
  cage: { connect: [4291] },
  state: { paid: 0 },
  events: {
    paid: {
      data: Type.Object({ amount: Type.Integer() }),
      evolve: (_, { amount }) => ({ paid: amount }),
    },
  },
  actions: {
    buy: {
      input: Order,
      output: Type.Object({ paid: Type.Integer() }),
      rejections: ['OUT_OF_STOCK'],
      run: async (_, { article, count, price }, { agent, call, step, saga, awaitSignal, config }) =>
        saga(async (undo) => {
          const amount = count * price;
          await call(stock, 'reserve', article, { count });
          undo(() => call(stock, 'release', article, { count }));
          const charge = { order: agent, amount };
          // Registered before the step: a charge that failed may have had its effect.
          undo(() => step('refund', ({ key, signal }) => ask(`${config.bank}/refunds`, charge, key, signal)));
          await step('charge', ({ key, signal }) => ask(`${config.bank}/charges`, charge, key, signal), {
            attempts: 5,
          });
          await awaitSignal('confirmed', { timeoutMs: DAY_MS });
          return ok({ paid: amount }, { paid: { amount } });
        }),
    },
  },
});
