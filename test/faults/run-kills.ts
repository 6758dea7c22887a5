/**
 * The long form of the test of fail-points: `node dist/test/faults/run-kills.js [--times 50] [--seed N]
 * [--durability fsync|os] [--points PREFIX] [--together N]`.
 */
import { KILL_VARIABLES } from './kill-options.js';
import { runLong } from './run-long.js';

await runLong('test/faults/fail-points.test.ts', KILL_VARIABLES);
