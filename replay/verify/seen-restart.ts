import type { KeptOperation } from '../../schemas/restart.js';

/** A record that restarts a command. */
export interface SeenRestart {
  readonly seq: number;
  readonly module: string;
  /** Its subject, behind `restart.`. */
  readonly addressText: string;
  /** The command that ran before. */
  readonly before: number;
  /** The command that runs now; 0: there is none. */
  command: number;
  readonly kept: readonly KeptOperation[];
  readonly digests: readonly string[];
}
