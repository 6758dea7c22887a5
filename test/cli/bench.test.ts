import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import type { BenchResult } from '../../bin/text/bench-text.js';
import { runCommandProcess } from '../support/run-command-line.js';
import { tempDir } from '../support/temp-dir.js';

it('bench measures, says what is met, draws it, and leaves no files', async () => {
  await using dir = tempDir();
  await using temp = tempDir();
  const { code, stdout, stderr } = await runCommandProcess(
    ['bench', '--quick', '--json', '--chart', 'bench.svg'],
    {
      cwd: dir.path,
      env: { TMPDIR: temp.path },
      timeoutMs: 300_000,
    },
  );
  assert.equal(code, 0, stderr);
  const { requirements, met, isQuick, durability, versions, seconds } = JSON.parse(stdout) as BenchResult;
  assert.deepEqual(
    [...new Set(requirements.map(({ part }) => part))],
    ['routing', 'throughput', 'memory', 'storage', 'steady state'],
  );
  assert.ok(isQuick && durability === 'fsync' && seconds > 0 && (versions.node ?? '') !== '');
  assert.equal(met, requirements.filter(({ verdict }) => verdict === 'met').length);
  for (const { measured, verdict, what } of requirements)
    assert.ok(measured !== '' && ['met', 'not met'].includes(verdict), what);
  const lost = requirements.find(({ what }) => what === 'acknowledged and lost');
  assert.equal(lost?.verdict, 'met');
  const chart = readFileSync(join(dir.path, 'bench.svg'), 'utf8');
  assert.match(chart, /^<svg [\s\S]*agent lookup, p99[\s\S]*<\/svg>\n$/);
  assert.deepEqual(readdirSync(temp.path), []);
});
