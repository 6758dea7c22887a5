import { SingleBar } from 'cli-progress';

/** How far the fetch or the build of a server is. `done` and `total` are bytes, where they are known. */
export interface Progress {
  readonly stage: 'download' | 'verify' | 'unpack' | 'build';
  readonly done?: number;
  readonly total?: number;
  readonly message: string;
}

export type OnProgress = (progress: Progress) => void;

export interface ProgressReporter extends Disposable {
  readonly onProgress: OnProgress;
  /** Leaves the terminal in order; idempotent. */
  close(): void;
}

export interface ProgressOptions {
  /** Says nothing at all. */
  readonly quiet?: boolean;
  /** Where to; default stderr, since stdout is for results. */
  readonly stream?: NodeJS.WriteStream;
}

const MIB = 1024 * 1024;

const mib = (bytes: number): string => (bytes / MIB).toFixed(1);

/** A line for each stage, for logs and pipes, where a bar would be thousands of lines. */
const plain = (stream: NodeJS.WritableStream): ProgressReporter => {
  let last: Progress['stage'] | undefined;
  const onProgress: OnProgress = ({ stage, message }) => {
    if (stage === last) return;
    last = stage;
    stream.write(`${message}\n`);
  };
  return { onProgress, close: () => undefined, [Symbol.dispose]: () => undefined };
};

/** A bar for each stage. If the size is unknown, a line that is written again. */
const drawn = (stream: NodeJS.WriteStream): ProgressReporter => {
  let bar: SingleBar | undefined;
  let drawing = '';
  const close = (): void => {
    bar?.stop();
    bar = undefined;
  };
  const onProgress: OnProgress = ({ stage, done, total, message }) => {
    const sized = done !== undefined && total !== undefined && total > 0;
    const next = `${stage}:${sized}`;
    if (next !== drawing) {
      close();
      drawing = next;
      const format = sized ? '{message} [{bar}] {percentage}% {mib} MiB' : '{message}';
      bar = new SingleBar({ format, stream, hideCursor: true, linewrap: false, barsize: 24, fps: 5 });
      bar.start(total ?? 1, done ?? 0, { message, mib: '' });
    }
    bar?.update(done ?? 0, { message, mib: sized ? `${mib(done)}/${mib(total)}` : '' });
  };
  return { onProgress, close, [Symbol.dispose]: close };
};

const SILENT: ProgressReporter = {
  onProgress: () => undefined,
  close: () => undefined,
  [Symbol.dispose]: () => undefined,
};

/** Draws progress on a terminal, writes a line a stage elsewhere, and nothing when quiet. */
export const progressReporter = ({
  quiet = false,
  stream = process.stderr,
}: ProgressOptions = {}): ProgressReporter => {
  if (quiet) return SILENT;
  return stream.isTTY ? drawn(stream) : plain(stream);
};
