import { StringDecoder } from 'node:string_decoder';

const ENTER = new Set(['\r', '\n']);
const RUBOUT = new Set(['\u007f', '\b']);
const INTERRUPT = '\u0003';
const END = '\u0004';

/**
 * Asks for a secret on the terminal, which does not show the keys. Undefined: the person gave up (Ctrl-C, or Ctrl-D
 * before any key).
 */
export const askHidden = (question: string): Promise<string | undefined> =>
  new Promise((resolve) => {
    const { stdin, stderr } = process;
    const decoder = new StringDecoder('utf8');
    let typed = '';
    const end = (answer: string | undefined): void => {
      stdin.off('data', heard);
      stdin.setRawMode(false);
      stdin.pause();
      stderr.write('\n');
      resolve(answer);
    };
    const heard = (bytes: Buffer): void => {
      for (const key of decoder.write(bytes)) {
        if (ENTER.has(key)) return end(typed);
        if (key === INTERRUPT || (key === END && typed === '')) return end(undefined);
        typed = RUBOUT.has(key) ? [...typed].slice(0, -1).join('') : typed + key;
      }
    };
    // Before the question: who reads it may type at once.
    stdin.setRawMode(true);
    stdin.on('data', heard);
    stdin.resume();
    stderr.write(`${question}: `);
  });
