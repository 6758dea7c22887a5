import { open } from 'node:fs/promises';

const CHUNK = 1024 * 1024;

/**
 * The lines of a file that are not blank, many at a time, with the number of the first: a step of a generator a line
 * would cost more than all else.
 */
export async function* textLines(
  path: string,
): AsyncGenerator<readonly (readonly [line: number, text: string])[], void, void> {
  const file = await open(path);
  try {
    const decoder = new TextDecoder();
    const buffer = Buffer.allocUnsafe(CHUNK);
    let rest = '';
    let line = 0;
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, CHUNK);
      const text = rest + decoder.decode(buffer.subarray(0, bytesRead), { stream: bytesRead > 0 });
      const parts = text.split('\n');
      rest = bytesRead > 0 ? (parts.pop() ?? '') : '';
      const lines: (readonly [number, string])[] = [];
      for (const part of parts) {
        line += 1;
        const trimmed = part.trim();
        if (trimmed !== '') lines.push([line, trimmed]);
      }
      if (lines.length > 0) yield lines;
      if (bytesRead === 0) return;
    }
  } finally {
    await file.close();
  }
}
