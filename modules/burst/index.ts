import { defineModule, Type } from '../sdk/index.js';
import { counted, NONE } from './tally.js';

const Counted = Type.Object(
  {
    p: Type.Integer({ minimum: 0, description: 'Which producer.' }),
    n: Type.Integer({ minimum: 0, description: 'Its number there, rising.' }),
    pad: Type.Optional(Type.String({ description: 'Makes the payload as large as was asked for.' })),
  },
  { additionalProperties: false },
);

/** Follows the events of `tallystick burst`. */
export default defineModule({
  name: 'burst',
  version: '1.0.0',
  description: 'What `tallystick burst` sends: counts events of producers outside, each in its order.',
  state: NONE,
  events: { counted: { data: Counted, evolve: (tally, { p, n }) => counted(tally, p, n) } },
  actions: {},
});
