import { defineModule, ok, reject, Type } from 'tallystick';
import payments from './payments.ts';
import stock from './stock.ts';

const Order = Type.Object({
  customer: Type.String(),
  article: Type.String(),
  count: Type.Integer({ minimum: 1 }),
  price: Type.Integer({ minimum: 1 }),
});

/** Each order is an agent. Its saga has two steps in two other modules, and undoes the first if the second is refused. */
export default defineModule({
  name: 'orders',
  version: '1.0.0',
  description: 'Reserves articles and takes the payment, or does neither.',
  dependencies: { stock: ['reserve', 'release'], payments: ['charge'] },
  state: { isPlaced: false },
  events: { placed: { data: Order, evolve: () => ({ isPlaced: true }) } },
  actions: {
    place: {
      input: Order,
      output: Type.Object({ paid: Type.Integer() }),
      rejections: ['OUT_OF_STOCK', 'NOT_ENOUGH_MONEY', 'PLACED_ALREADY'],
      run: async ({ isPlaced }, order, { call }) => {
        if (isPlaced) return reject('PLACED_ALREADY', 'this order was placed before');
        const { customer, article, count, price } = order;
        await call(stock, 'reserve', article, { count });
        const paid = await call.try(payments, 'charge', customer, { amount: count * price });
        if (paid._tag === 'Left') {
          await call(stock, 'release', article, { count });
          return reject('NOT_ENOUGH_MONEY', paid.left.error.message);
        }
        return ok({ paid: count * price }, { placed: order });
      },
    },
  },
});
