/**
 * The long form of the test of fail-points, or with `--points firing` of the test that kills the broker while it fires schedules: `node dist/test/faults/run-kills.js [--times 50] [--seed N]
 * [--durability fsync|os] [--points PREFIX] [--together N]`.
 */
import { KILL_VARIABLES } from './kill-options.js';
import { runLong } from './run-long.js';

// Schedules are no part of the load of the other test.
const isOfSchedules = process.argv.some((text) => /^(?:--points=)?firing/.test(text));
const file = isOfSchedules ? 'kills-schedules' : 'fail-points';

await runLong(`test/faults/${file}.test.ts`, KILL_VARIABLES);
