export interface Late {
  /** Resolves when it is late; never where it was cancelled first. */
  readonly late: Promise<'late'>;
  readonly cancel: () => void;
}

export interface LateOptions {
  readonly withinMs: number;
  /** How much of the time has passed, milliseconds; it may go back. */
  readonly passedMs: () => number;
  /**
   * Resolves when all is here that was sent before: this process may be the slow one. One that rejects is not waited
   * for.
   */
  readonly heard?: () => Promise<void>;
}

/** Waits until something is late by a clock that may stand still. */
export const whenLate = ({ withinMs, passedMs, heard = () => Promise.resolve() }: LateOptions): Late => {
  let timer: NodeJS.Timeout | undefined;
  let isOver = false;
  const late = new Promise<'late'>((resolve) => {
    const look = async (): Promise<void> => {
      if (passedMs() >= withinMs) await heard().catch(() => undefined);
      if (isOver) return;
      const leftMs = withinMs - passedMs();
      if (leftMs <= 0) resolve('late');
      else timer = setTimeout(() => void look(), Math.max(1, leftMs));
    };
    void look();
  });
  const cancel = (): void => {
    isOver = true;
    clearTimeout(timer);
  };
  return { late, cancel };
};
