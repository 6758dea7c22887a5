import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { describe, test } from 'node:test';
import { parseRate } from '../../perf/bench/nats-bench.js';
import { inRounds, measured } from '../../perf/bench/rounds.js';
import { FORM } from '../support/form.js';
import { tempDir } from '../support/temp-dir.js';
import { perf } from './perf.js';

interface Printed {
  readonly scenario: string;
  readonly machine: { readonly cpus: number; readonly model: string; readonly node: string };
  readonly reading: {
    readonly serverVersion: string;
    readonly records: number;
    readonly readers: Readonly<
      Record<string, { median: number; min: number; max: number; values: number[] }>
    >;
  };
  readonly ratios: { readonly readPerSecond: number };
}

interface PrintedLoad {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

interface PrintedJournal {
  readonly levels: Readonly<
    Record<
      string,
      {
        readonly plain: PrintedLoad;
        readonly journal: Readonly<Record<string, PrintedLoad>>;
        readonly peers: Readonly<Record<string, number>>;
      }
    >
  >;
  readonly ratios: Readonly<Record<string, number>>;
}

interface PrintedPast {
  readonly past: { readonly events: number; readonly folded: { readonly median: number } };
  readonly ratios: { readonly stateAtP50Ms: number; readonly stateAtP99Ms: number };
}

interface PrintedSoak {
  readonly soak: {
    readonly sent: number;
    readonly failed: number;
    readonly growth: Readonly<Record<string, number>>;
    readonly windows: readonly { readonly sent: number; readonly bytes: Readonly<Record<string, number>> }[];
  };
}

describe('the benchmarks', () => {
  test('states of the past are timed, and each is the right one', async () => {
    await using temp = tempDir();
    const args = ['past', '--records', '2000', '--rounds', '1', '--json'];
    const { code, stdout, stderr } = await perf(args, { TMPDIR: temp.path });
    assert.equal(code, 0, stderr);
    const { past, ratios } = JSON.parse(stdout) as PrintedPast;
    assert.equal(past.events, 2_000);
    assert.ok(past.folded.median > 0 && past.folded.median <= 256);
    assert.ok(ratios.stateAtP50Ms > 0 && ratios.stateAtP50Ms <= ratios.stateAtP99Ms);
  });

  test('a small run prints one object with the figures, the peers and the machine, and leaves no files', async () => {
    await using temp = tempDir();
    const { code, stdout, stderr } = await perf(
      ['reading', '--records', '20000', '--rounds', '2', '--json'],
      {
        TMPDIR: temp.path,
      },
    );
    assert.equal(code, 0, stderr);
    const found = JSON.parse(stdout) as Printed;
    assert.equal(found.scenario, 'reading');
    assert.equal(found.machine.node, process.version);
    assert.ok(found.machine.cpus > 0);
    assert.match(found.reading.serverVersion, /^\d+\.\d+\.\d+/);
    assert.equal(found.reading.records, 20_000);
    const names = [
      'journal, batches',
      'journal, one by one',
      'nats bench js ordered',
      'nats bench js get batch',
    ];
    assert.deepEqual(Object.keys(found.reading.readers), names);
    for (const { median, min, max, values } of Object.values(found.reading.readers)) {
      assert.equal(values.length, 2);
      assert.ok(min > 0 && min <= median && median <= max);
    }
    assert.ok(found.ratios.readPerSecond > 0);
    assert.match(stderr, /round 2 of 2/);
    assert.deepEqual(
      readdirSync(temp.path).filter((name) => name.startsWith('tallystick-perf-')),
      [],
    );
  });

  test('journal prints the ratios that are held, of loads and peers that all ran', async () => {
    const { code, stdout, stderr } = await perf(['journal', '--records', '10000', '--rounds', '1', '--json']);
    assert.equal(code, 0, stderr);
    const { levels, ratios } = JSON.parse(stdout) as PrintedJournal;
    assert.deepEqual(Object.keys(ratios), [
      'fsyncOverPerMessage',
      'osOverBestBench',
      'loneOverPlain',
      'readPerSecond',
    ]);
    for (const ratio of Object.values(ratios)) assert.ok(ratio > 0);
    for (const { plain, journal, peers } of Object.values(levels)) {
      assert.deepEqual(Object.keys(journal), ['1', '10', '100', '1000', 'unlimited']);
      for (const { perSecond, p50Ms, p99Ms } of [plain, ...Object.values(journal)]) {
        assert.ok(perSecond > 0 && p50Ms > 0 && p50Ms <= p99Ms);
      }
      assert.deepEqual(Object.keys(peers), [
        'nats bench js pub sync',
        'nats bench js pub async',
        'nats bench js pub batch',
        'fast ingest',
      ]);
      for (const rate of Object.values(peers)) assert.ok(rate > 0);
    }
  });

  test('access calls a broker with all protections and one without in turn', async () => {
    const { code, stdout, stderr } = await perf([
      ...['access', '--records', '500', '--seconds', '0.2', '--rounds', '2', '--in-flight', '1,16', '--json'],
    ]);
    assert.equal(code, 0, stderr);
    const { ratios } = JSON.parse(stdout) as PrintedJournal;
    assert.deepEqual(Object.keys(ratios), ['guardedOverOpen1', 'guardedOverOpen16']);
    for (const ratio of Object.values(ratios)) assert.ok(ratio > 0);
    assert.match(stderr, /round 2 of 2: token, limits, cage, 16 in flight/);
  });

  // Each flood takes its seconds, and the tests of floods run in every form.
  if (FORM !== 'short') {
    test('flood prints what another guest saw under each flood, over what it saw without', async () => {
      const { code, stdout, stderr } = await perf(['flood', '--records', '10', '--rounds', '1', '--json']);
      assert.equal(code, 0, stderr);
      const { ratios } = JSON.parse(stdout) as PrintedJournal;
      const floods = ['calls', 'commands', 'large calls', 'schedules', 'producers', 'discovery'];
      assert.deepEqual(Object.keys(ratios), floods);
      for (const ratio of Object.values(ratios)) assert.ok(ratio > 0);
    });
  }

  test('soak prints what each part of the run saw, and how the memory grew', async () => {
    const args = ['soak', '--seconds', '12', '--rate', '40', '--agents', '50', '--json'];
    const { code, stdout, stderr } = await perf(args);
    assert.equal(code, 0, stderr);
    const { soak } = JSON.parse(stdout) as PrintedSoak;
    assert.deepEqual([soak.sent, soak.failed, soak.windows.length], [480, 0, 12]);
    assert.equal(
      soak.windows.reduce((sum, { sent }) => sum + sent, 0),
      soak.sent,
    );
    for (const { bytes } of soak.windows) assert.ok((bytes.server ?? 0) > 0 && (bytes.all ?? 0) > 0);
    assert.deepEqual(Object.keys(soak.growth), ['server', 'broker', 'host', 'all']);
  });

  test('memory prints what the server held', async () => {
    const { code, stdout, stderr } = await perf(['memory', '--records', '200000', '--json']);
    assert.equal(code, 0, stderr);
    const { ratios } = JSON.parse(stdout) as { readonly ratios: { readonly serverPeakMiB: number } };
    assert.ok(ratios.serverPeakMiB > 0);
  });

  test('verify prints what a verification of a clean log takes', async () => {
    const { code, stdout, stderr } = await perf(['verify', '--records', '3000', '--rounds', '1', '--json']);
    assert.equal(code, 0, stderr);
    const { ratios } = JSON.parse(stdout) as PrintedJournal;
    assert.deepEqual(Object.keys(ratios), [
      'verifyPerSecond',
      'verifyRssMb',
      'cpuUsPerRecord',
      'readPerSecond',
    ]);
    for (const ratio of Object.values(ratios)) assert.ok(ratio > 0);
  });

  test('an unknown scenario, a bad number and no scenario are wrong usage, with the list of scenarios', async () => {
    for (const args of [
      ['nope'],
      [],
      ['reading', '--records', '-1'],
      ['reading', '--what'],
      ['reading', '--agents', '10'],
      ['lookup', '--agents', '10,'],
      ['lookup', '--peers', 'nats,mysql'],
      ['reading', '--peers', 'none'],
      ['reading', '--seconds', '2'],
      ['calls', '--seconds', '0'],
      ['calls', '--commands', '-1'],
      ['calls', '--peers', 'sqlite'],
      ['calls', '--in-flight', '1,x'],
      ['reading', '--memory-limit', '1GiB'],
      ['verify', '--memory-limit', 'much'],
    ]) {
      const { code, stdout, stderr } = await perf(args);
      assert.equal(code, 2, args.join(' '));
      assert.equal(stdout, '');
      assert.match(stderr, /^ {2}reading {2,}/m);
    }
  });

  test('help lists the scenarios', async () => {
    const { code, stdout } = await perf(['--help']);
    assert.equal(code, 0);
    assert.match(stdout, /^ {2}reading {2,}/m);
  });

  test('a median of rounds, which are interleaved', async () => {
    assert.deepEqual(measured([3, 1, 2]), { median: 2, min: 1, max: 3, values: [3, 1, 2] });
    assert.equal(measured([4, 1, 2, 3]).median, 2.5);
    const order: string[] = [];
    const run = (name: string) => async () => order.push(name);
    const found = await inRounds(
      [
        { name: 'a', run: run('a') },
        { name: 'b', run: run('b') },
      ],
      2,
      () => undefined,
    );
    assert.deepEqual(order, ['a', 'b', 'a', 'b']);
    assert.deepEqual(found.get('b')?.values, [2, 4]);
  });

  test('the rate that `nats bench` prints is read, or there is none', () => {
    assert.equal(parseRate('NATS JetStream ordered stats: 149,001 msgs/sec ~ 18 MiB/sec\n'), 149_001);
    assert.equal(parseRate('nothing'), undefined);
  });
});
