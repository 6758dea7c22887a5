import { SingleBar } from 'cli-progress';

/** The progress of a long command, on stderr: a bar on a terminal, otherwise nothing. */
export interface ProgressBar extends Disposable {
  readonly update: (done: number) => void;
  /** Removes the bar until the next update, so that a line can be printed. */
  readonly clear: () => void;
}

const SILENT: ProgressBar = {
  update: () => undefined,
  clear: () => undefined,
  [Symbol.dispose]: () => undefined,
};

export const progressBar = (what: string, total: number, stream = process.stderr): ProgressBar => {
  if (!stream.isTTY || total < 2) return SILENT;
  let bar: SingleBar | undefined;
  const clear = (): void => {
    bar?.stop();
    bar = undefined;
  };
  return {
    update: (done) => {
      if (bar === undefined) {
        const format = `${what} [{bar}] {value}/{total}`;
        bar = new SingleBar({ format, stream, hideCursor: true, clearOnComplete: true, barsize: 24, fps: 5 });
        bar.start(total, done);
      } else bar.update(done);
    },
    clear,
    [Symbol.dispose]: clear,
  };
};
