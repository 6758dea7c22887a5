import { defineModule, ok, reject, Type } from 'tallystick';

const HOUSE = 100;

export default defineModule({
  name: 'tickets',
  version: '1.0.0',
  description: 'Sells the seats of shows, and never more than there are.',
  state: { sold: 0 },
  events: {
    sold: {
      data: Type.Object({ seats: Type.Integer() }),
      evolve: (state, { seats }) => ({ sold: state.sold + seats }),
    },
  },
  actions: {
    sell: {
      input: Type.Object({ seats: Type.Integer({ minimum: 1 }) }),
      output: Type.Object({ left: Type.Integer() }),
      rejections: ['SOLD_OUT'],
      decide: ({ sold }, { seats }) =>
        sold + seats > HOUSE
          ? reject('SOLD_OUT', `${HOUSE - sold} seats are left`)
          : ok({ left: HOUSE - sold - seats }, { sold: { seats } }),
    },
  },
});
