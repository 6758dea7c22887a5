/** The test of scale in full: `node dist/test/faults/run-scale.js [--agents 10000] [--conversations 50000]`. */
import { runLong } from './run-long.js';
import { SCALE_VARIABLES } from './scale-options.js';

await runLong('test/faults/scale.test.ts', SCALE_VARIABLES, { agents: '10000', conversations: '50000' });
