import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import type { Times } from '../../perf/bench/histogram.js';
import type { Measured } from '../../perf/bench/rounds.js';
import { tempDir } from '../support/temp-dir.js';
import { notHere } from '../runner/not-here.js';
import { perf } from './perf.js';

interface PrintedLog {
  readonly rounds: Readonly<Record<string, Measured>>;
  readonly one: Times;
  readonly delivered: Times;
}

interface Printed {
  readonly peers: {
    readonly logs: Readonly<Record<string, PrintedLog>>;
    readonly calls: Readonly<Record<string, unknown>>;
    readonly leftOut: readonly string[];
  };
}

/** Each peer of logs, and the contenders that it is. */
const PEERS = {
  jetstream: ['JetStream os', 'JetStream fsync'],
  redis: ['Redis everysec', 'Redis always'],
  kafka: ['Kafka os', 'Kafka fsync'],
  rabbitmq: ['RabbitMQ fsync'],
  socket: ['Unix socket'],
};

/** Peers may have to be installed. */
const LIMIT_MS = 9 * 60_000;

/** The benchmark ends with an error if a log gives its reader more or fewer records than were written. */
test('peers measures each log that this machine can have, names the others with the reason, and leaves no files', async (t) => {
  await using temp = tempDir();
  const names = Object.keys(PEERS).join(',');
  const args = ['peers', '--peers', names, '--records', '500', '--rounds', '1', '--json'];
  const { code, stdout, stderr } = await perf(args, { TMPDIR: temp.path }, LIMIT_MS);
  assert.equal(code, 0, stderr);
  const { logs, calls, leftOut } = (JSON.parse(stdout) as Printed).peers;
  assert.deepEqual(Object.keys(logs).slice(0, 2), ['Tallystick os', 'Tallystick fsync']);
  assert.deepEqual(Object.keys(calls), ['request', 'os', 'fsync']);
  assert.ok(leftOut.includes('without dbos as a peer: it is not in --peers'));
  for (const { rounds, one, delivered } of Object.values(logs)) {
    assert.ok((rounds.ingestPerSecond?.median ?? 0) > 0);
    assert.ok(one.count > 0 && one.p50Us <= one.p99Us && delivered.count > 0 && delivered.p50Us > 0);
  }
  for (const [peer, contenders] of Object.entries(PEERS)) {
    const reason = leftOut.find((line) => line.toLowerCase().startsWith(`without ${peer} as a peer: `));
    if (reason === undefined) for (const name of contenders) assert.ok(logs[name], `${name}: ${stderr}`);
    else t.diagnostic(notHere(reason) as string);
  }
  assert.deepEqual(
    readdirSync(temp.path).filter((name) => name.startsWith('tallystick-perf-')),
    [],
  );
});
