import { defineModule, ok, reject, Type } from 'tallystick';

const Count = Type.Object({ count: Type.Integer({ minimum: 1 }) });
const Left = Type.Object({ left: Type.Integer() });

export default defineModule({
  name: 'stock',
  version: '1.0.0',
  description: 'Knows how many of each article are free.',
  state: { free: 0 },
  events: {
    delivered: { data: Count, evolve: ({ free }, { count }) => ({ free: free + count }) },
    reserved: { data: Count, evolve: ({ free }, { count }) => ({ free: free - count }) },
    released: { data: Count, evolve: ({ free }, { count }) => ({ free: free + count }) },
  },
  actions: {
    deliver: {
      input: Count,
      output: Left,
      decide: ({ free }, { count }) => ok({ left: free + count }, { delivered: { count } }),
    },
    reserve: {
      input: Count,
      output: Left,
      rejections: ['OUT_OF_STOCK'],
      decide: ({ free }, { count }) =>
        count > free
          ? reject('OUT_OF_STOCK', `${free} are free`)
          : ok({ left: free - count }, { reserved: { count } }),
    },
    release: {
      input: Count,
      output: Left,
      decide: ({ free }, { count }) => ok({ left: free + count }, { released: { count } }),
    },
  },
});
