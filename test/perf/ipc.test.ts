import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import type { Times } from '../../perf/bench/histogram.js';
import type { Measured } from '../../perf/bench/rounds.js';
import { tempDir } from '../support/temp-dir.js';
import { perf } from './perf.js';

interface PrintedWay {
  readonly throughput: Readonly<Record<string, { readonly perSecond: Measured; readonly cpuUs: Measured }>>;
  readonly roundTrips: Readonly<Record<string, Times>>;
}

interface Printed {
  readonly ipc: {
    readonly ways: Readonly<Record<string, PrintedWay>>;
    readonly patterns: Readonly<Record<string, Readonly<Record<string, { readonly perSecond: number }>>>>;
    readonly eventLogging: Readonly<Record<string, Times>>;
    readonly formats: Readonly<Record<string, Readonly<Record<string, { readonly bytes: number }>>>>;
  };
}

test('ipc measures each way between two processes, and leaves no files', async () => {
  await using temp = tempDir();
  const { code, stdout, stderr } = await perf(['ipc', '--records', '1000', '--rounds', '1', '--json'], {
    TMPDIR: temp.path,
  });
  assert.equal(code, 0, stderr);
  const { ways, patterns, eventLogging, formats } = (JSON.parse(stdout) as Printed).ipc;
  const names = ['stdin and stdout', 'Unix socket', 'shared memory', 'core NATS'];
  const stored = ['journal, os', 'journal, fsync', 'call, os', 'call, fsync'];
  assert.deepEqual(Object.keys(ways), [...names, ...stored], stderr);
  for (const { throughput, roundTrips } of Object.values(ways)) {
    assert.deepEqual(Object.keys(throughput), ['small', 'large']);
    for (const { perSecond } of Object.values(throughput)) assert.ok(perSecond.median > 0);
    assert.deepEqual(Object.keys(roundTrips), ['64', '256', '1024', '4096', '1000000']);
    for (const { minUs, p50Us, p99Us, maxUs, count } of Object.values(roundTrips))
      assert.ok(count >= 10 && minUs > 0 && minUs <= p50Us && p50Us <= p99Us && p99Us <= maxUs * 1.01);
  }
  for (const row of Object.values(patterns)) {
    assert.equal(Object.keys(row).length, 5);
    for (const { perSecond } of Object.values(row)) assert.ok(perSecond > 0);
  }
  assert.equal(Object.keys(eventLogging).length, 5);
  for (const bytes of ['256', '1000000']) assert.ok((formats[bytes]?.JSON?.bytes ?? 0) > Number(bytes));
  assert.deepEqual(
    readdirSync(temp.path).filter((name) => name.startsWith('tallystick-perf-')),
    [],
  );
});
