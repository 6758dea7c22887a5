import type { Fault } from '../../schemas/errors.js';

/** A question to the thread that reads states. */
export interface StateQuestion {
  readonly id: number;
  readonly module: string;
  /** `''` is the module itself. */
  readonly agent: string;
  /** The states must have this sequence; 0: whatever they have. */
  readonly atLeast: number;
}

/** What the thread replies: the bytes of the reply, or why there is none. */
export type StateAnswer =
  | { readonly id: number; readonly body: Uint8Array<ArrayBuffer> }
  | { readonly id: number; readonly fault: Fault };

/** What the thread is given. */
export interface StateThreadData {
  readonly dataDir: string;
  readonly maxBytes: number;
}
