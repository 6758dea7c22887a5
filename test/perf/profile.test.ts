import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { tempDir } from '../support/temp-dir.js';
import { perf } from './perf.js';

describe('perf --profile', () => {
  const dir = tempDir();

  it('draws a flame graph of each process: broker, modules in their cages, threads, the server', async () => {
    const into = join(dir.path, 'flames');
    const { code, stdout, stderr } = await perf(['idle', '--seconds', '1', '--profile', into], {}, 300_000);
    assert.equal(code, 0, stderr);
    const files = readdirSync(into);
    for (const wanted of [/^tallystick-\d+\.svg$/, /^module-accounts-\d+\.svg$/, /-thread-\d+\.svg$/]) {
      const found = files.find((file) => wanted.test(file));
      assert.ok(found !== undefined, `${wanted} in ${files.join(', ')}`);
      assert.match(readFileSync(join(into, found), 'utf8'), /^<svg [\s\S]*<rect [\s\S]*<\/svg>\n$/);
      assert.ok(stdout.includes(found));
    }
  });

  it('draws the server that a benchmark starts itself, and the process that measures', async () => {
    const into = join(dir.path, 'of a server');
    const { code, stderr } = await perf([
      'reading',
      '--records',
      '30000',
      '--rounds',
      '1',
      '--profile',
      into,
    ]);
    assert.equal(code, 0, stderr);
    const files = readdirSync(into).map((file) => file.replace(/-\d+\.svg$/, ''));
    assert.ok(files.includes('nats-server') && files.includes('perf-main'), files.join(', '));
  });

  it('goes with no figure that is kept or compared', async () => {
    for (const more of [['--save'], ['--baseline', 'none.json']]) {
      const { code, stderr } = await perf(['idle', '--profile', dir.path, ...more]);
      assert.equal(code, 2);
      assert.match(stderr, /it goes with neither --save nor --baseline/);
    }
  });
});
