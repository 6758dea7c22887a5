import { totalmem } from 'node:os';

const SHARE = 1 / 4;
const CEILING_BYTES = 800 * 1024 * 1024;

/**
 * `GOMEMLIMIT` of the embedded server without the option, in bytes. Without a limit its collector lets the memory
 * double before it cleans up: 1.5 GB after millions of records, of which half is needed. `npm run perf -- memory`
 * shows what it holds under load; a log with very many agents needs more, and `--memory-limit` gives it.
 */
export const defaultMemoryLimitBytes = (): number => Math.min(CEILING_BYTES, Math.floor(totalmem() * SHARE));
