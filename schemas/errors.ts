import { type ErrorCode, ERRORS } from './error-table.js';

/** An expected failure as a value: in `Either`, and as JSON in results and on stderr. */
export interface Fault {
  readonly code: ErrorCode;
  readonly message: string;
  /** JSON pointer into the input, if the input is at fault. */
  readonly path?: string;
  readonly retryable: boolean;
  /** Milliseconds until another try may help, if known. */
  readonly retryAfterMs?: number;
}

/** Makes a fault of the table; `retryable` follows from the code. */
export const fault = (code: ErrorCode, message: string, path?: string): Fault => ({
  code,
  message,
  ...(path === undefined ? {} : { path }),
  retryable: ERRORS[code].retryable,
});

/** Carries a fault through code that can only throw (constructors, library callbacks, broken invariants). */
export class FaultError extends Error {
  override readonly name = 'FaultError';
  constructor(readonly fault: Fault) {
    super(`${fault.code}: ${fault.message}`);
  }
}

/** The fault inside a thrown value. Any other value is `INTERNAL` with its message. */
export const toFault = (thrown: unknown, code: ErrorCode = 'INTERNAL'): Fault =>
  thrown instanceof FaultError
    ? thrown.fault
    : fault(code, thrown instanceof Error ? thrown.message : String(thrown));
