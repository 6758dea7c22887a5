import Type from 'typebox';
import { defineManifest } from '../sdk/index.js';

const Strict = { additionalProperties: false } as const;
const Numbered = {
  p: Type.Integer({ minimum: 0, description: 'Which producer.' }),
  n: Type.Integer({ minimum: 0, description: 'Its number there, rising.' }),
};

export const burstCallsManifest = defineManifest({
  name: 'burst-calls',
  version: '1.0.0',
  description:
    'What `tallystick burst --calls` sends: counts commands of producers outside, each in its order.',
  actions: {
    count: {
      description: 'Counts one.',
      input: Type.Object(
        {
          ...Numbered,
          pad: Type.Optional(
            Type.String({ description: 'Makes the payload as large as was asked for; not kept.' }),
          ),
        },
        Strict,
      ),
      output: Type.Object({ count: Type.Integer({ minimum: 1 }) }, Strict),
    },
  },
  events: { counted: { data: Type.Object(Numbered, Strict) } },
  start: { entry: './index.js' },
});
