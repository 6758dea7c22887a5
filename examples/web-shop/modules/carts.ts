import { defineModule, ok, reject, Type } from 'tallystick';

const Item = Type.Object({ article: Type.String({ minLength: 1 }), count: Type.Integer({ minimum: 1 }) });
const Items = Type.Object({ items: Type.Record(Type.String(), Type.Integer()) });

const none: { readonly items: Readonly<Record<string, number>>; readonly isClosed: boolean } = {
  items: {},
  isClosed: false,
};

export default defineModule({
  name: 'carts',
  version: '1.0.0',
  description: 'Keeps what customers put into their carts.',
  state: none,
  events: {
    added: {
      data: Item,
      evolve: (cart, { article, count }) => ({
        ...cart,
        items: { ...cart.items, [article]: (cart.items[article] ?? 0) + count },
      }),
    },
    checked_out: { data: Type.Object({}), evolve: (cart) => ({ ...cart, isClosed: true }) },
  },
  actions: {
    add: {
      input: Item,
      output: Type.Object({ count: Type.Integer() }),
      rejections: ['CLOSED'],
      decide: ({ items, isClosed }, item) =>
        isClosed
          ? reject('CLOSED', 'this cart is checked out')
          : ok({ count: (items[item.article] ?? 0) + item.count }, { added: item }),
    },
    check_out: {
      input: Type.Object({}),
      output: Items,
      rejections: ['EMPTY', 'CLOSED'],
      decide: ({ items, isClosed }) => {
        if (isClosed) return reject('CLOSED', 'this cart is checked out');
        if (Object.keys(items).length === 0) return reject('EMPTY', 'this cart has no items');
        return ok({ items: { ...items } }, { checked_out: {} });
      },
    },
    show: {
      input: Type.Object({}),
      output: Items,
      decide: ({ items }) => ok({ items: { ...items } }),
    },
  },
});
