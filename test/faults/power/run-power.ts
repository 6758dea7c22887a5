/**
 * The test of power losses in its long form: `node dist/test/faults/power/run-power.js [--crashes 50] [--seed N]
 * [--mode nothing|prefix|pages] [--names strict]`.
 */
import { runLong } from '../run-long.js';
import { POWER_VARIABLES } from './power-options.js';

await runLong('test/faults/power/power-loss.test.ts', POWER_VARIABLES, { crashes: '50' });
