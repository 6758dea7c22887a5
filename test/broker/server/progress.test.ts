import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { compiled, runScript } from '../../system/processes/node-script.js';

/** Reports a whole fetch and build; stderr is where it would be drawn, and is read here through stdout. */
const reporter = (options: string): string => `
  import { progressReporter } from '${compiled('broker/server/progress.js')}';
  const stream = Object.assign(Object.create(process.stdout), { ${options} });
  const { onProgress, close } = progressReporter({ stream, quiet: process.argv[1] === 'quiet' });
  onProgress({ stage: 'download', message: 'fetching' });
  for (let done = 0; done <= 100; done += 10) onProgress({ stage: 'download', done, total: 100, message: 'fetching' });
  onProgress({ stage: 'verify', message: 'comparing' });
  onProgress({ stage: 'build', message: 'building' });
  onProgress({ stage: 'build', message: 'building: line' });
  close();
  close();
  console.log('end');
`;

const output = async (options: string, args: readonly string[] = []): Promise<string> => {
  const script = runScript(reporter(options), args);
  let text = '';
  for (;;) {
    const line = await script.nextLine();
    if (line.endsWith('end')) return text + line.slice(0, -'end'.length);
    text += `${line}\n`;
  }
};

describe('progress', () => {
  test('is one line a stage where there is no terminal', async () => {
    assert.equal(await output('isTTY: false'), 'fetching\ncomparing\nbuilding\n');
  });

  test('is a bar on a terminal', async () => {
    const text = await output(
      'isTTY: true, columns: 80, cursorTo: () => true, clearLine: () => true, moveCursor: () => true',
    );
    assert.match(text, /fetching \[.*\] 100%/);
    assert.match(text, /building/);
  });

  test('is nothing when quiet', async () => {
    assert.equal(await output('isTTY: true', ['quiet']), '');
  });
});
