import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { processUse } from '../../../system/processes/process-use.js';
import { waitFor } from '../../support/wait-for.js';

describe('what a process uses', () => {
  test('is what the process itself says', async () => {
    const child = spawn(process.execPath, ['-e', 'process.stdin.once("data", () => { for (;;); })'], {
      stdio: ['pipe', 'ignore', 'inherit'],
    });
    const pid = child.pid ?? 0;
    try {
      const before = await processUse(pid);
      assert.ok(before !== undefined);
      assert.equal(before.cpuPercent, 0, 'nobody has looked before');
      child.stdin.write('go');
      const busy = await waitFor('processor time', async () => {
        const now = await processUse(pid);
        return now !== undefined && now.cpuMs >= before.cpuMs + 50 && now.cpuPercent > 0 && now;
      });
      assert.ok(busy.rssBytes > 10_000_000, `${busy.rssBytes}`);
    } finally {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    assert.equal(await processUse(pid), undefined);
  });

  test('has the memory of this process in bytes', async () => {
    // Between two looks, some pages come or go.
    await waitFor('both to say nearly the same', async () => {
      const said = (await processUse(process.pid))?.rssBytes ?? 0;
      return Math.abs(said / process.memoryUsage.rss() - 1) < 0.1;
    });
  });
});
