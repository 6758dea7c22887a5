import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Refusal } from '../../../schemas/result.js';
import { startBroker, tallystick, type TestBroker } from '../../support/broker.js';
import { followLog, type LogFollower } from '../../support/log-follower.js';
import { PROJECT_ROOT } from '../../support/project-root.js';
import { natsCall, natsCommand } from '../../support/requests.js';
import { waitFor } from '../../support/wait-for.js';

describe('a module that is a program of its own', () => {
  let broker: TestBroker;
  let log: LogFollower;

  before(async () => {
    const raw = join(PROJECT_ROOT, 'test', 'fixtures', 'modules', 'raw');
    broker = await startBroker({ args: ['--no-shipped', '--durability', 'os', '--module', raw] });
    log = followLog(broker.dataDir);
  });
  after(async () => {
    await log?.[Symbol.asyncDispose]();
    await broker?.[Symbol.asyncDispose]();
  });

  const call = (address: string, body: object) => natsCall(broker.url, address, JSON.stringify(body));

  it('I4 handles calls and commands, and its outcomes are in the log as decision and copy', async () => {
    assert.deepEqual((await call('raw.add.alice', { n: 2 })).result, { status: 'ok', data: { sum: 2 } });
    const seq = await natsCommand(broker.url, 'raw.add.alice', '{"n":3}');
    assert.equal((await log.result(seq)).status, 'ok');
    const caused = await waitFor('the copy', () => {
      const found = log.records().filter(({ cause }) => cause === seq);
      return found.length === 2 && found;
    });
    assert.deepEqual(
      caused.map(({ subject, conversation, sender }) => ({ subject, conversation, sender })),
      [
        { subject: 'res.raw.add.alice', conversation: seq, sender: 'raw' },
        { subject: 'evt.raw.added.alice', conversation: seq, sender: 'raw' },
      ],
    );
    const { result, headers } = await call('raw.add.alice', { n: 'many' });
    assert.equal((result as Refusal).error.path, '/n');
    assert.equal(headers['Nats-Service-Error-Code'], '400');
  });

  it('I3 when it is killed, what was sent meanwhile is answered by its successor, from the same state', async () => {
    const [first] = broker.ready.modules;
    process.kill(first?.pid ?? 0, 'SIGKILL');
    const { result } = await call('raw.add.alice', { n: 10 });
    assert.deepEqual(result, { status: 'ok', data: { sum: 15 } });
    assert.ok(broker.stderr.some((line) => /raw: its process ended \(signal:SIGKILL\)/.test(line)));
  });

  it('its numbers reach a person as they are in the log', async () => {
    const text = '{ "status":"ok", "data":{"price":1.0,"n":9007199254740993} }';
    const args = ['call', 'raw.store', JSON.stringify({ text }), '--agent', 'carl'];
    const line = await tallystick([...args, '--json'], { dataDir: broker.dataDir });
    assert.equal(line.stdout.trim(), '{"status":"ok","data":{"price":1.0,"n":9007199254740993}}');
    const lines = await tallystick(args, { dataDir: broker.dataDir });
    assert.match(lines.stdout, /\n {4}"n": 9007199254740993\n/);
  });

  it('a result that is none is an error of the module for its caller, and harms nobody else', async () => {
    const error = async (text: string) => {
      const { result, headers } = await call('raw.store.bob', { text });
      assert.equal(result.status, 'failed');
      return [(result as Refusal).error.code, (headers['Nats-Service-Error'] ?? '').length < 1_100];
    };
    assert.deepEqual(await error('not JSON'), ['OUTCOME_INVALID', true]);
    assert.deepEqual(await error('null'), ['OUTCOME_INVALID', true]);
    assert.deepEqual(await error('{"status":"done"}'), ['OUTCOME_INVALID', true]);
    assert.deepEqual(await error('{"status":"failed","error":"no"}'), ['OUTCOME_INVALID', true]);
    const long = { code: 'LONG', message: 'o'.repeat(900_000), retryable: false };
    assert.deepEqual(await error(JSON.stringify({ status: 'failed', error: long })), ['LONG', true]);
    const { result } = await call('raw.add.alice', { n: 1 });
    assert.deepEqual(result, { status: 'ok', data: { sum: 16 } });
    assert.ok(!broker.stderr.some((line) => /a new epoch is opened/.test(line)));
  });
});
