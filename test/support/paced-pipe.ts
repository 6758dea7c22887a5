import type { Socket } from 'node:net';

/** What a line does to the bytes of one direction. */
export interface Pace {
  /** How long each byte travels, milliseconds. */
  readonly delayMs: number;
  readonly bytesPerSecond: number;
}

export const AT_ONCE: Pace = { delayMs: 0, bytesPerSecond: Number.POSITIVE_INFINITY };

/** Bytes that are on the line; above it the sender is not read any more, and is held up by its own system. */
const LINE_BYTES = 256 * 1024;

const until = (timeMs: number): Promise<void> | undefined => {
  const leftMs = timeMs - performance.now();
  return leftMs <= 0 ? undefined : new Promise((resume) => setTimeout(resume, leftMs));
};

/** Passes on what one socket receives to another, as a line of that pace does; the pace may change meanwhile. */
export const pacedPipe = (from: Socket, to: Socket, pace: () => Pace): void => {
  const line: { readonly bytes: Buffer; readonly dueMs: number }[] = [];
  let onLine = 0;
  let running = false;
  let freeMs = 0;
  const run = async (): Promise<void> => {
    running = true;
    for (let next = line.shift(); next !== undefined; next = line.shift()) {
      await until(next.dueMs);
      const { bytesPerSecond } = pace();
      freeMs = Math.max(freeMs, performance.now()) + (next.bytes.length / bytesPerSecond) * 1_000;
      await until(freeMs);
      if (!to.writable) break;
      await new Promise((sent) => to.write(next.bytes, sent));
      onLine -= next.bytes.length;
      if (onLine < LINE_BYTES && from.isPaused()) from.resume();
    }
    running = false;
  };
  from.on('data', (chunk: Buffer) => {
    line.push({ bytes: chunk, dueMs: performance.now() + pace().delayMs });
    onLine += chunk.length;
    if (onLine >= LINE_BYTES) from.pause();
    if (!running) void run();
  });
  from.on('end', () => to.end());
};
