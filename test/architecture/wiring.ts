/** A name that a function uses in a line before the line that declares it. */
export interface EarlyUse {
  readonly name: string;
  readonly line: number;
}

/** Without comments and texts: a name there is no use. Keys of objects and properties are other names. */
const codeOf = (line: string): string =>
  line
    .replace(/\/\/.*$|^\s*\/?\*.*$/, '')
    .replace(/'[^']*'|`[^`]*`/g, "''")
    .replace(/\.\w+|\b\w+:(?!:)/g, '');

/**
 * Uses of names before their declarations, among those that a function declares at its first level: as a constant, two
 * spaces in. A closure makes such a use possible, and it fails if it is called too early.
 */
export const earlyUses = (source: string): EarlyUse[] => {
  const lines = source.split('\n');
  const found: EarlyUse[] = [];
  let first = 0;
  lines.forEach((text, at) => {
    if (/^\S/.test(text)) first = at;
    const declared = /^ {2}(?:const|let) (?:\{([^}]*)\}|(\w+))/.exec(text);
    const names = (declared?.[1] ?? declared?.[2] ?? '').match(/\w+/g) ?? [];
    for (const name of names) {
      const use = lines
        .slice(first + 1, at)
        .findIndex((line) => new RegExp(`\\b${name}\\b`).test(codeOf(line)));
      if (use !== -1) found.push({ name, line: first + use + 2 });
    }
  });
  return found;
};
