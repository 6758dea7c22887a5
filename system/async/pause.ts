import { setTimeout as timer } from 'node:timers/promises';

export interface PauseOptions {
  /** Ends the pause at once when it is aborted. */
  readonly signal?: AbortSignal;
  /** `false`: the pause keeps no process alive. */
  readonly ref?: boolean;
}

/** Resolves after so many milliseconds. It never rejects. */
export const pause = async (ms: number, options: PauseOptions = {}): Promise<void> => {
  try {
    await timer(ms, undefined, options);
  } catch (error) {
    if (options.signal?.aborted !== true) throw error;
  }
};
