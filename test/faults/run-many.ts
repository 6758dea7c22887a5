/** The test of many open commands in full: `node dist/test/faults/run-many.js [--open 5000000]`. */
import { runLong } from './run-long.js';

await runLong('test/faults/many-open.test.ts', { open: 'MANY_OPEN' }, { open: '5000000' });
