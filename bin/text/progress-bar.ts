import { SingleBar } from 'cli-progress';

/** How far a long command is: a bar on a terminal, nothing elsewhere. On stderr, since stdout is for results. */
export interface ProgressBar extends Disposable {
  readonly update: (done: number) => void;
  /** Takes the bar away, for a line that is printed, until the next update. */
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
