import { defineModule, ok, Type } from '../../modules/entry.js';

const data = Type.Object({ of: Type.Optional(Type.String()), i: Type.Integer() });

/** Names the module that `writeShop` writes, for programs that subscribe to it. */
export const shop = defineModule({
  ...{
    name: 'shop',
    version: '1.0.0',
    description: 'Publishes as many events as it is asked for.',
    state: {},
  },
  events: {
    sold: { data, evolve: (state) => state },
    refunded: { data, evolve: (state) => state },
  },
  actions: {
    sell: { input: Type.Object({ times: Type.Integer() }), output: Type.Object({}), decide: () => ok({}) },
  },
});
