import { defineModule } from '../sdk/index.js';
import { burstManifest } from './burst-manifest.js';
import { counted, NONE } from './tally.js';

/** Follows the events of `tallystick burst`. */
export default defineModule({
  manifest: burstManifest,
  initial: NONE,
  actions: {},
  evolve: { counted: (tally, { p, n }) => counted(tally, p, n) },
});
