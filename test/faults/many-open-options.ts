import { byForm } from '../support/form.js';

/** How many commands are open, and the heap that the broker has for them. In full as many as a guest sends in minutes. */
export const OPEN = Number(process.env.MANY_OPEN ?? byForm({ short: 30_000, deep: 80_000, full: 5_000_000 }));
export const HEAP_MIB = OPEN > 1_000_000 ? 512 : 64;
/** One in so many is for a module that is known, and waits for it; the others are for modules that nobody has. */
export const OWNED_ONE_IN = Number(process.env.MANY_OWNED_ONE_IN ?? 10);
