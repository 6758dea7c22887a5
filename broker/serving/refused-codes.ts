import type { ErrorCode } from '../../schemas/error-table.js';

/** How many requests were refused, by code. There are as many as the table of errors has. */
export class RefusedCodes {
  readonly #counts = new Map<ErrorCode, number>();

  count(code: ErrorCode): void {
    this.#counts.set(code, (this.#counts.get(code) ?? 0) + 1);
  }

  get all(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts);
  }
}
