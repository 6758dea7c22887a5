import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { describe, test } from 'node:test';
import { tempDir } from '../support/temp-dir.js';
import { perf } from './perf.js';

interface Figure {
  readonly median: number;
  readonly values: readonly number[];
}

interface CallFigures {
  readonly perSecond: Figure;
  readonly p50Ms: Figure;
  readonly p99Ms: Figure;
  readonly cpuUs: Readonly<Record<string, Figure>>;
}

interface PrintedCalls {
  readonly calls: { readonly callees: Readonly<Record<string, Readonly<Record<string, CallFigures>>>> };
  readonly commands: Readonly<
    Record<string, { readonly sent: number; readonly stored: number; readonly handled: number }>
  >;
  readonly ratios: Readonly<Record<string, number | null>>;
}

const PEER_RATIOS = ['overRestate256', 'overRestateP50', 'overRestateOs256'];

describe('the benchmark of calls', () => {
  test('it prints all ratios, and each process of a call and of a request has its processor time', async () => {
    await using temp = tempDir();
    const args = ['--in-flight', '1,256', '--records', '300', '--seconds', '60', '--rounds', '1'];
    const { code, stdout, stderr } = await perf(['calls', ...args, '--peers', 'none', '--json'], {
      TMPDIR: temp.path,
    });
    assert.equal(code, 0, stderr);
    const { calls, commands, ratios } = JSON.parse(stdout) as PrintedCalls;
    assert.deepEqual(Object.keys(ratios), [
      ...['callP50OverRequestOs', 'callP50OverRequestFsync'],
      ...['callsPerSecondOs256', 'callsPerSecondFsync256', 'callsOverRequestsOs256'],
      ...['serverUsPerCall', 'brokerUsPerCall', 'hostUsPerCall'],
      ...PEER_RATIOS,
      ...['pubRecordedPerSecond', 'pubHandledPerSecond', 'pubJRecordedPerSecond', 'pubJHandledPerSecond'],
    ]);
    for (const [name, ratio] of Object.entries(ratios)) {
      if (PEER_RATIOS.includes(name)) assert.equal(ratio, null);
      else assert.ok(ratio !== null && ratio > 0, name);
    }
    for (const peer of ['restate', 'moleculer', 'bullmq', 'dbos', 'temporal'])
      assert.ok(stderr.includes(`without ${peer} as a peer: it is not in --peers`), peer);
    for (const way of ['pub', 'pubJ']) {
      const { sent, stored, handled } = commands[way] ?? assert.fail(way);
      assert.deepEqual([sent, stored, handled], [300, 300, 300]);
    }
    assert.deepEqual(Object.keys(calls.callees), ['request', 'os', 'fsync']);
    for (const [callee, byInFlight] of Object.entries(calls.callees)) {
      assert.deepEqual(Object.keys(byInFlight), ['1', '256']);
      for (const { perSecond, p50Ms, p99Ms, cpuUs } of Object.values(byInFlight)) {
        assert.equal(perSecond.values.length, 1);
        assert.ok(perSecond.median > 0 && p50Ms.median > 0 && p50Ms.median <= p99Ms.median);
        const processes = callee === 'request' ? ['server', 'responder'] : ['server', 'broker', 'host'];
        assert.deepEqual(Object.keys(cpuUs), [...processes, 'caller']);
      }
    }
    const left = readdirSync(temp.path).filter((name) => name.startsWith('tallystick-perf-'));
    assert.deepEqual(left, []);
  });
});
