import { ERRORS } from '../../schemas/error-table.js';
import type { Fault } from '../../schemas/errors.js';

/** 0 done; 1 the answer is no; 2 wrong usage; 3 the command cannot reach the broker or the server. */
export const EXIT = { done: 0, no: 1, usage: 2, unreachable: 3 } as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export const exitCodeOf = (fault: Fault): ExitCode => ERRORS[fault.code].exit;
