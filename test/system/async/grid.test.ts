import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { everyOnGrid, untilGrid } from '../../../system/async/grid.js';

const clockMs = (): number => Number(process.hrtime.bigint() / 1_000_000n);

test('the next point is a multiple of the period, and no nearer than an eighth of it', () => {
  for (const periodMs of [300, 1_000, 2_500, 5_000, 10_000]) {
    const before = clockMs();
    const left = untilGrid(periodMs);
    const after = clockMs();
    assert.ok(left >= periodMs / 8 && left <= periodMs + periodMs / 8, `${left} of ${periodMs}`);
    // The clock may have moved on between the three looks.
    const points = [before, after].map((now) => Math.round((now + left) / periodMs) * periodMs);
    assert.ok(
      points.some((point) => point >= before + left && point <= after + left),
      `${left} ms from ${before} to ${after} are no multiple of ${periodMs}`,
    );
  }
});

test('another process has the same points', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [
    '-e',
    'process.stdout.write(String(process.hrtime.bigint() / 1000000n))',
  ]);
  // Both clocks count from the start of the machine: the other process looked a moment ago.
  const agoMs = clockMs() - Number(stdout);
  assert.ok(agoMs >= 0 && agoMs < 600_000, `it looked ${agoMs} ms ago`);
});

/** Keeps the process alive until its ticks have come: the timers of the grid do not. */
const ticksOf = (wanted: number): Promise<{ readonly ticks: number }> =>
  new Promise((resolve) => {
    const alive = setInterval(() => undefined, 1_000);
    const counted = { ticks: 0 };
    const stop = everyOnGrid(5, () => {
      counted.ticks += 1;
      if (counted.ticks !== wanted) return;
      stop();
      clearInterval(alive);
      resolve(counted);
    });
  });

test('a tick comes again and again, until it is ended', async () => {
  const first = await ticksOf(3);
  await ticksOf(10);
  assert.equal(first.ticks, 3);
});
