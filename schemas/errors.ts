import { messageOf } from '../text/thrown-message.js';
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

const IS_FAULT = Symbol.for('tallystick.fault');

/**
 * Carries a fault through code that can only throw (constructors, library callbacks, broken invariants). A process
 * can have two copies of this file: a module can bring another copy of the package. Each copy knows the errors of the
 * other.
 */
export class FaultError extends Error {
  override readonly name = 'FaultError';
  readonly [IS_FAULT] = true;
  constructor(readonly fault: Fault) {
    super(`${fault.code}: ${fault.message}`);
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof Error && IS_FAULT in value;
  }
}

/** The fault inside a thrown value. Any other value is `INTERNAL` with its message. */
export const toFault = (thrown: unknown, code: ErrorCode = 'INTERNAL'): Fault =>
  thrown instanceof FaultError ? thrown.fault : fault(code, messageOf(thrown));
