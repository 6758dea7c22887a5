import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { NatsConnection } from 'nats';
import accounts from '../../modules/accounts/index.js';
import orders from '../../modules/orders/index.js';
import type { AnyModule } from '../../modules/sdk/module-shape.js';
import { runProgram } from '../support/run-program.js';
import { digestByTheBook } from './digest-by-the-book.js';
import { type Copied, storeLog, subjectOf } from './log-copy.js';
import { expectFound, VerifiedSystem } from './verified-system.js';

const TAMPERING = join(import.meta.dirname, '..', 'fixtures', 'tampering.js');

const modules = [accounts, orders] as unknown as readonly AnyModule[];

describe('verify on a log that is as it was stored', () => {
  let system: VerifiedSystem;
  let log: readonly Copied[];
  let nc: NatsConnection;
  let live: NatsConnection;

  before(async () => {
    system = await VerifiedSystem.start();
    ({ log, nc, live } = system);
  });
  after(() => system?.[Symbol.asyncDispose]());

  test('finds nothing in the log of a system whose modules were killed at work, nor in its snapshots', async () => {
    const found = await system.verify({ nc: live, snapshots: { dataDir: system.broker.dataDir, modules } });
    assert.deepEqual(found.findings, []);
    assert.ok(found.ok);
    assert.equal(found.records, log.length);
    assert.equal(found.lastSeq, log.length);
    assert.equal(found.commands, log.filter((record) => subjectOf(record)?.kind === 'cmd').length);
    assert.equal(found.results, found.commands);
    assert.equal(found.records, found.commands + found.results + found.events + found.epochs);
    assert.deepEqual(
      found.states.map(({ module }) => module),
      ['accounts', 'orders'],
    );
    assert.match(found.digest, /^[0-9a-f]{64}$/);
    // What the log is read by does not matter, nor how often.
    assert.equal((await system.verify({ nc: live })).digest, found.digest);
  });

  test('makes a digest that can be computed from what docs/reference/replay.md says', async () => {
    const { digest } = await system.verify({ nc: live });
    assert.equal(await digestByTheBook(live, 1, log.length), digest);
    const part = await system.verify({ nc: live, from: 20, to: 90 });
    assert.equal(await digestByTheBook(live, 20, 90), part.digest);
  });

  test('finds nothing in a copy of the log, nor in any part', async () => {
    await storeLog(nc, log);
    assert.deepEqual((await system.verify()).findings, []);
    const third = Math.floor(log.length / 3);
    for (const [from, to] of [
      [1, third],
      [third, 2 * third],
      [2 * third, log.length],
      [third, third],
    ] as const) {
      const found = await system.verify({ from, to });
      assert.deepEqual(found.findings, [], `records ${from} to ${to}`);
      assert.equal(found.records, to - from + 1);
    }
  });

  test('takes records into the digest that are larger than what arrives at a time, or have no headers or no payload', async () => {
    const command = { seq: 0, subject: 'cmd.accounts.deposit.alice.guest', headers: [], data: '{}' };
    const note = `{"note":"${'ü'.repeat(200_000)}"}`;
    const large = { ...command, data: note };
    const tail = [
      command,
      large,
      { ...command, data: '' },
      large,
      large,
      { ...command, headers: [['Täl', 'ü']] as const },
    ];
    await storeLog(nc, [...log.slice(0, 30), ...tail]);
    const found = await system.verify({ graceMs: 600_000 });
    assert.equal(found.records, 30 + tail.length);
    assert.equal(found.digest, await digestByTheBook(nc, 1, found.lastSeq));
  });

  test('finds a snapshot that is not what the log gives', async () => {
    const at = join(system.broker.dataDir, 'snapshots', 'accounts', 'g1');
    const last = log.findLast(({ subject }) => subject === 'evt.accounts.deposited.agent-3');
    assert.ok(last);
    const args = [TAMPERING, at, 'agent-3', `${last.seq}`, '1', '{"balance":1000000,"outgoing":{}}'];
    const { code, stderr } = await runProgram(process.execPath, args);
    assert.equal(code, 0, stderr);
    const found = await system.verify({ nc: live, snapshots: { dataDir: system.broker.dataDir, modules } });
    expectFound(found, {
      kind: 'stateMismatch',
      seq: last.seq,
      producer: 'accounts',
      says: /agent agent-3 of accounts.*1000000/,
    });
    assert.equal(found.stateMismatches, 1);
    assert.deepEqual(
      found.states.map(({ module }) => module),
      ['orders'],
    );
  });
});
