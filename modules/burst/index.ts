import { defineModule } from '../sdk/index.js';
import { manifest } from './burst-manifest.js';
import { counted, NONE } from './tally.js';

/** Follows the events of `tallystick burst`. */
export default defineModule({
  manifest,
  initial: NONE,
  actions: {},
  evolve: { counted: (tally, { p, n }) => counted(tally, p, n) },
});
