import { right } from 'fp-ts/lib/Either.js';
import { counted, NONE } from '../burst/tally.js';
import { defineModule } from '../sdk/index.js';
import { burstCallsManifest } from './burst-calls-manifest.js';

/** Answers the commands of `tallystick burst --calls`. */
export default defineModule({
  manifest: burstCallsManifest,
  initial: NONE,
  actions: {
    count: {
      decide: ({ count }, { data: { p, n } }) =>
        right({ data: { count: count + 1 }, events: [{ name: 'counted', data: { p, n } }] }),
    },
  },
  evolve: { counted: (tally, { p, n }) => counted(tally, p, n) },
});
