import Type from 'typebox';
import { defineManifest } from '../sdk/index.js';

const Strict = { additionalProperties: false } as const;

export const burstManifest = defineManifest({
  name: 'burst',
  version: '1.0.0',
  description: 'What `tallystick burst` sends: counts events of producers outside, each in its order.',
  actions: {},
  events: {
    counted: {
      data: Type.Object(
        {
          p: Type.Integer({ minimum: 0, description: 'Which producer.' }),
          n: Type.Integer({ minimum: 0, description: 'Its number there, rising.' }),
          pad: Type.Optional(Type.String({ description: 'Makes the payload as large as was asked for.' })),
        },
        Strict,
      ),
    },
  },
  start: { entry: './index.js' },
});
