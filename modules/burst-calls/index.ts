import { counted, NONE } from '../burst/tally.js';
import { defineModule, ok, Type } from '../sdk/index.js';

const Strict = { additionalProperties: false } as const;
const numbered = {
  p: Type.Integer({ minimum: 0, description: 'Which producer.' }),
  n: Type.Integer({ minimum: 0, description: 'Its number there, rising.' }),
};

/** Answers the commands of `tallystick burst --calls`. */
export default defineModule({
  name: 'burst-calls',
  version: '1.0.0',
  description:
    'What `tallystick burst --calls` sends: counts commands of producers outside, each in its order.',
  state: NONE,
  events: {
    counted: { data: Type.Object(numbered, Strict), evolve: (tally, { p, n }) => counted(tally, p, n) },
  },
  actions: {
    count: {
      description: 'Counts one.',
      input: Type.Object(
        {
          ...numbered,
          pad: Type.Optional(
            Type.String({ description: 'Makes the payload as large as was asked for; not kept.' }),
          ),
        },
        Strict,
      ),
      output: Type.Object({ count: Type.Integer({ minimum: 1 }) }, Strict),
      decide: ({ count }, { p, n }) => ok({ count: count + 1 }, { counted: { p, n } }),
    },
  },
});
