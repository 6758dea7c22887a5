/** One waiter with several causes to wake it. A wake without a waiter is kept for the next wait. */
export class Waker {
  private woken = false;
  private resolve: (() => void) | undefined;

  wake(): void {
    if (this.resolve === undefined) {
      this.woken = true;
      return;
    }
    const { resolve } = this;
    this.resolve = undefined;
    resolve();
  }

  /** Resolves at the next wake, or after `timeoutMs`. */
  async wait(timeoutMs?: number): Promise<void> {
    if (this.woken) {
      this.woken = false;
      return;
    }
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.resolve = resolve;
      if (timeoutMs !== undefined) timer = setTimeout(() => this.wake(), timeoutMs);
    });
    clearTimeout(timer);
  }
}
