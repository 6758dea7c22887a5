import { createInterface } from 'node:readline';

/** Asks on standard input before each step, until the user stops. */
export interface Steps extends Disposable {
  /** False: stop. */
  readonly ask: (what: string) => Promise<boolean>;
}

const HELP = 'Enter: send this one; c: send all; q: stop';

export const steps = (input = process.stdin, output = process.stderr): Steps => {
  const lines = createInterface({ input })[Symbol.asyncIterator]();
  let asks = true;
  return {
    ask: async (what) => {
      if (!asks) return true;
      output.write(`${what}  (${HELP}) `);
      const { value, done } = await lines.next();
      // The end of the input is no consent to the other steps.
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
