import { readdirSync, readFileSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';

/** A file with lines of one writer, named `<writer>.<n>.<k>.jsonl` after its first line. */
export interface LinesFile {
  readonly path: string;
  /** `broker`, or `module.<name>`. */
  readonly writer: string;
  /** The numbers of its first line. */
  readonly n: number;
  readonly k: number;
}

export const BROKER_WRITER = 'broker';
export const writerOf = (module: string): string => `module.${module}`;
export const moduleOf = (writer: string): string | null =>
  writer === BROKER_WRITER ? null : writer.slice('module.'.length);

const NAME = /^(broker|module\.[\w-]+)\.(\d{1,16})\.(\d{1,16})\.jsonl$/;

export const linesFileAt = (dir: string, writer: string, n: number, k: number): LinesFile => ({
  path: join(dir, `${writer}.${n}.${k}.jsonl`),
  writer,
  n,
  k,
});

/** The files of a directory by writer, the oldest first. */
export const linesFilesIn = (dir: string): Map<string, LinesFile[]> => {
  const found = new Map<string, LinesFile[]>();
  for (const file of readdirSync(dir)) {
    const [, writer, n, k] = NAME.exec(file) ?? [];
    if (writer === undefined) continue;
    const segment = { path: join(dir, file), writer, n: Number(n), k: Number(k) };
    found.set(writer, [...(found.get(writer) ?? []), segment]);
  }
  for (const segments of found.values()) segments.sort((a, b) => a.n - b.n);
  return found;
};

/** The lines of a file as text. What a crash has torn is not whole, and is none. */
export const lineTextsIn = ({ path }: LinesFile): readonly string[] => {
  try {
    return readFileSync(path, 'utf8').split('\n').slice(0, -1);
  } catch {
    // Somebody has deleted it.
    return [];
  }
};

const NUMBERS = /^\{"n":(\d{1,16}),"k":(\d{1,16}),.*\}$/;

/** The numbers of a line, without the work of reading it. Undefined: it is none. */
export const numbersOf = (text: string): { readonly n: number; readonly k: number } | undefined => {
  const [, n, k] = NUMBERS.exec(text) ?? [];
  return n === undefined ? undefined : { n: Number(n), k: Number(k) };
};

export const deleteLinesFile = ({ path }: LinesFile): void => {
  try {
    unlinkSync(path);
  } catch {
    // It is gone already.
  }
};
