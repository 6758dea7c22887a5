/** A word without a meaning for the shell, or text in single quotes. */
const WORD = /(?:[\w@%+=:,./-]+|'[^']*')+/y;

/** The words of a command line that any shell takes as they stand; undefined if a shell would do more with it. */
export const plainWords = (command: string): readonly string[] | undefined => {
  const words: string[] = [];
  let at = 0;
  while (at < command.length) {
    WORD.lastIndex = at;
    const [word] = WORD.exec(command) ?? [];
    if (word === undefined || /^\w+=/.test(word)) return undefined;
    words.push(word.replaceAll("'", ''));
    at += word.length;
    const blanks = /^ +/.exec(command.slice(at))?.[0].length ?? 0;
    if (blanks === 0 && at < command.length) return undefined;
    at += blanks;
  }
  return words;
};
