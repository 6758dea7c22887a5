import type { Refusal, ResultError } from '../../schemas/result.js';

const IS_REFUSED = Symbol.for('tallystick.refused');

/**
 * Thrown where a call has no output: the module rejected the command, the handler failed, the command expired, or the
 * broker cannot be reached. `code` tells which: a code of the module, such as `SOLD_OUT`, or one of the table in
 * docs/reference/protocol.md.
 *
 * A process can have two copies of this package. Each copy knows the errors of the other.
 */
export class Refused<Code extends string = string> extends Error {
  override readonly name = 'Refused';
  readonly code: Code;
  /** `rejected`: nothing happened. `failed`: the handler ended badly. `expired`: its deadline passed first. */
  readonly status: Refusal['status'];
  /** True if the same command may succeed later. */
  readonly retryable: boolean;
  /** All that the result says: `path`, `retryAfterMs`, `attempts`, `dead`. */
  readonly error: ResultError;

  constructor({ status, error }: Refusal) {
    super(`${error.code}: ${error.message}`);
    this.code = error.code as Code;
    this.status = status;
    this.retryable = error.retryable;
    this.error = error;
    // No program prints it.
    Object.defineProperty(this, IS_REFUSED, { value: true });
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof Error && IS_REFUSED in value;
  }
}
