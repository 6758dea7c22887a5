import { createInterface } from 'node:readline';

/** Asks on standard input before each step; whoever has seen enough says so. */
export interface Steps extends Disposable {
  /** False: no further. */
  readonly ask: (what: string) => Promise<boolean>;
}

const HELP = 'Enter: this one; c: all; q: no further';

export const steps = (input = process.stdin, output = process.stderr): Steps => {
  const lines = createInterface({ input })[Symbol.asyncIterator]();
  let asks = true;
  return {
    ask: async (what) => {
      if (!asks) return true;
      output.write(`${what}  (${HELP}) `);
      const { value, done } = await lines.next();
      // Its end is no consent to the rest.
      if (done === true) return false;
      asks = value.trim() !== 'c';
      return value.trim() !== 'q';
    },
    [Symbol.dispose]: () => {
      void lines.return?.();
      input.unref?.();
    },
  };
};
