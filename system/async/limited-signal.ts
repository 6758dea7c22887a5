/** A signal with a time limit. */
export interface LimitedSignal {
  /** Aborted when the time is over, or with the other signal. */
  readonly signal: AbortSignal;
  /** The limit is not needed any more. */
  readonly end: () => void;
}

/**
 * A signal that is aborted after so many milliseconds, or with `other`. The platform has `AbortSignal.any` and
 * `AbortSignal.timeout` for this. But in Node 20 nothing holds a timeout that such a signal was made of: after a
 * collection of garbage it never ends, and what waits for it waits for ever. This timer is held until it ends.
 */
export const limitedSignal = (ms: number, other?: AbortSignal): LimitedSignal => {
  const controller = new AbortController();
  const abort = (): void => {
    end();
    controller.abort(
      other?.aborted === true ? other.reason : new DOMException('the time is over', 'TimeoutError'),
    );
  };
  const timer = setTimeout(abort, ms);
  const end = (): void => {
    clearTimeout(timer);
    other?.removeEventListener('abort', abort);
  };
  other?.addEventListener('abort', abort, { once: true });
  if (other?.aborted === true) abort();
  return { signal: controller.signal, end };
};
