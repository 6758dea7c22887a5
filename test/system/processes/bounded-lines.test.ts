import assert from 'node:assert/strict';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { boundedLines, MAX_LINE_CHARACTERS } from '../../../system/lines/bounded-lines.js';

const linesOf = async (chunks: readonly Buffer[]): Promise<string[]> => {
  const stream = new PassThrough();
  const lines: string[] = [];
  boundedLines(stream, (line) => lines.push(line));
  for (const chunk of chunks) stream.write(chunk);
  stream.end();
  await once(stream, 'end');
  return lines;
};

describe('lines of a process', () => {
  test('come as they were written, wherever the chunks were cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: 'grapheme' })),
        fc.integer({ min: 1, max: 7 }),
        async (texts, size) => {
          const written = texts.map((text) => text.replaceAll('\n', ''));
          const bytes = Buffer.from(written.map((text) => `${text}\n`).join(''));
          const chunks: Buffer[] = [];
          for (let i = 0; i < bytes.length; i += size) chunks.push(bytes.subarray(i, i + size));
          assert.deepEqual(await linesOf(chunks), written);
        },
      ),
      { numRuns: 50 },
    );
  });

  test('a line without an end is cut and counted, and the next one is whole', async () => {
    const endless = Buffer.alloc(MAX_LINE_CHARACTERS, 'x');
    const [first, second] = await linesOf([endless, endless, Buffer.from('\nnext')]);
    assert.equal(first, `${'x'.repeat(MAX_LINE_CHARACTERS)} … (${MAX_LINE_CHARACTERS} more characters)`);
    assert.equal(second, 'next');
  });
});
