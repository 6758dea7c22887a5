/** A fenced block of a Markdown file. */
export interface Block {
  readonly language: string;
  /** What stands behind the language: the file that a piece of code is. */
  readonly info: string;
  readonly text: string;
  /** Line of the fence, from 1. */
  readonly line: number;
}

export const blocksOf = (markdown: string): readonly Block[] =>
  [...markdown.matchAll(/^```(\S+)[ \t]*(.*)\n([\s\S]*?)^```$/gm)].map((match) => ({
    language: match[1] ?? '',
    info: match[2] ?? '',
    text: match[3] ?? '',
    line: markdown.slice(0, match.index).split('\n').length,
  }));

/** A command of a `console` block and the lines that are shown below it. */
export interface Typed {
  readonly command: string;
  readonly shown: readonly string[];
}

export const typedIn = (block: Block): readonly Typed[] => {
  const typed: { command: string; shown: string[] }[] = [];
  for (const line of block.text.split('\n')) {
    if (line.startsWith('$ ')) typed.push({ command: line.slice(2), shown: [] });
    else if (line.trim() !== '') typed.at(-1)?.shown.push(line.trim());
  }
  return typed;
};

const squeeze = (text: string): string => text.replaceAll(/\s+/g, ' ').trim();

/** Whether a shown line stands in what was printed: somewhere in a line, blanks alike, `…` for anything. */
export const isShown = (shown: string, printed: string): boolean => {
  const parts = squeeze(shown)
    .split('…')
    .map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  const pattern = new RegExp(parts.join('.*'));
  return printed.split('\n').some((line) => pattern.test(squeeze(line)));
};
