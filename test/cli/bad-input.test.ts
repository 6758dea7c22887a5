import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { connect, headers as makeHeaders, type NatsConnection } from 'nats';
import { ERRORS, type ErrorCode, isErrorCode } from '../../schemas/error-table.js';
import type { Refusal, Result } from '../../schemas/result.js';
import { manifest } from '../fixtures/modules/faulty/manifest.js';
import { FAIL_VARIABLE } from '../../system/processes/fail-point.js';
import { startBroker, type TestBroker, tallystick } from '../support/broker.js';
import { brokerStatus } from '../support/broker-status.js';
import { byForm, inDeep } from '../support/form.js';
import { followLog, type LogFollower } from '../support/log-follower.js';
import { writeModule } from '../support/module-dir.js';
import { natsCli } from '../support/nats-cli.js';
import { type Headers, natsCall, natsCommand, natsRequest } from '../support/requests.js';
import { type TempDir, tempDir } from '../support/temp-dir.js';
import { waitFor } from '../support/wait-for.js';
import { ago, CASES, type Expected } from './bad-input-cases.js';
import { PATIENT } from '../support/patient.js';

const itInDeep = inDeep(it);

let dir: TempDir;
let broker: TestBroker;
let failDir: string;
let log: LogFollower;
let nc: NatsConnection;
/** A file that is there: what waits for it goes on at once. */
let there: string;

before(async () => {
  dir = tempDir();
  there = join(dir.path, 'there');
  await writeFile(there, '');
  const faulty = await writeModule(join(dir.path, 'faulty'), 'faulty', manifest);
  failDir = join(dir.path, 'fail');
  await mkdir(failDir);
  broker = await startBroker({
    args: ['--no-shipped', '--durability', 'os', '--module', faulty],
    env: { [FAIL_VARIABLE]: failDir },
  });
  log = followLog(broker.dataDir);
  nc = await connect({ servers: broker.url });
});
after(async () => {
  await nc?.close();
  await log?.[Symbol.asyncDispose]();
  await broker?.[Symbol.asyncDispose]();
  await dir?.[Symbol.asyncDispose]();
});

const call = (address: string, payload: string, headers?: Headers) =>
  natsCall(broker.url, address, payload, headers);
const command = (address: string, payload: string, headers?: Headers) =>
  natsCommand(broker.url, address, payload, headers);

const assertRefused = (result: Result, { code, path, status }: Expected): void => {
  const { error, ...rest } = result as Refusal;
  assert.equal(error?.code, code, JSON.stringify(result).slice(0, 500));
  assert.equal(error.path, path);
  assert.deepEqual(rest, { status: status ?? ERRORS[code as ErrorCode].status });
  assert.ok(error.message.length > 0 && error.message.length < 10_000);
};

const assertServiceError = (headers: Headers, { code }: Expected): void => {
  assert.match(headers['Nats-Service-Error'] ?? '', new RegExp(`^${code}: `));
  assert.equal(headers['Nats-Service-Error-Code'], String(isErrorCode(code) ? ERRORS[code].service : 422));
};

/** Adds one to the agent's total and says what it was before. */
const total = async (agent: string): Promise<number> => {
  const { result } = await call(`faulty.ok.${agent}`, '{"add":1}');
  assert.equal(result.status, 'ok', JSON.stringify(result));
  return (result.data as { total: number }).total - 1;
};

describe('what is wrong with one command', () => {
  for (const [i, one] of CASES.entries()) {
    (one.isDeep === true ? itInDeep : it)(
      `I3 ${one.what}: ${one.code} for the caller, one result for the command, and the next is handled`,
      async () => {
        const agent = `agent-${i}`;
        const payload = typeof one.payload === 'string' ? one.payload : one.payload(there);
        const address = `faulty.${one.action}.${agent}`;
        assert.equal(await total(agent), 0);

        const called = await call(address, payload, one.headers);
        assertRefused(called.result, one);
        assertServiceError(called.headers, one);
        const recorded = Number(called.headers['Tally-Cause']);
        assert.deepEqual(await log.result(recorded), called.result);

        assert.equal(await total(agent), 1, 'the state is as if nothing had been');
        assert.equal(log.resultsOf(recorded).length, 1);
        // What ends the process costs a restart each time, and how it came into the log makes no difference by then.
        if (one.code === 'HANDLER_CRASHED') return;

        const seq = await command(address, payload, one.headers);
        assertRefused(await log.result(seq), one);
        assert.equal(await total(agent), 2);
        assert.equal(log.resultsOf(seq).length, 1);
      },
    );
  }
});

describe('what no handler gets to see', () => {
  const recorded = (agent: string): readonly string[] =>
    log
      .records()
      .filter((record) => record.agent === agent)
      .map(({ kind }) => kind);

  /** Everything that the log has when this is called has been read when it resolves. */
  const logIsRead = async (): Promise<void> => {
    const { headers } = await call('faulty.ok.reader', '{}');
    await log.result(Number(headers['Tally-Cause']));
  };

  const refusedAtOnce = async (address: string, expected: Expected, payload = '{}', headers?: Headers) => {
    const called = await call(address, payload, headers);
    assertRefused(called.result, expected);
    assertServiceError(called.headers, expected);
    assert.equal(called.headers['Tally-Cause'], undefined, 'it was not recorded');
  };

  const refusedCommand = async (address: string, expected: Expected, payload = '{}') => {
    const { body, headers } = await natsRequest(broker.url, `cmd.${address}`, payload);
    assertRefused(JSON.parse(body) as Result, expected);
    assertServiceError(headers, expected);
  };

  it('I3 an unknown module: who calls and who sends a command are told at once, and nothing is recorded', async () => {
    const expected = { code: 'MODULE_UNKNOWN' };
    await refusedAtOnce('nobody.ok.alice', expected);
    await refusedAtOnce('no-body!.ok.alice', { code: 'NAME_INVALID' });
    for (const address of [
      'nobody.ok.alice',
      'no-body!.ok.al!ce',
      'constructor.ok.alice',
      '*.*',
      'nobody.ok',
    ])
      await refusedCommand(address, expected);
    await logIsRead();
    assert.ok(log.records().every(({ module }) => module === 'faulty' || module === null));
  });

  for (const action of ['nothing', 'constructor', '__proto__', 'toString']) {
    it(`I3 an unknown action, ${action}: the caller is told at once, a command has a result`, async () => {
      const expected = { code: 'ACTION_UNKNOWN' };
      await refusedAtOnce(`faulty.${action}.alice`, expected);
      assertRefused(await log.result(await command(`faulty.${action}.alice`, '{}')), expected);
    });
  }

  for (const [what, agent] of [
    ['al!ce', 'al!ce'],
    ['$JS', '$JS'],
    ['65 letters', 'a'.repeat(65)],
    ['more than a key of the snapshots holds', 'a'.repeat(3_000)],
  ] as const) {
    it(`I3 a bad name of an agent, ${what}: NAME_INVALID for the caller and as the result`, async () => {
      const expected = { code: 'NAME_INVALID' };
      await refusedAtOnce(`faulty.ok.${agent}`, expected);
      const seq = await command(`faulty.ok.${agent}`, '{}');
      assertRefused(await log.result(seq), expected);
      assert.equal(log.resultsOf(seq)[0]?.subject, 'res.faulty.ok._');
      await logIsRead();
    });
  }

  it('I3 an agent that is missing: AGENT_REQUIRED for the caller and as the result', async () => {
    const expected = { code: 'AGENT_REQUIRED' };
    await refusedAtOnce('faulty.ok', expected);
    assertRefused(await log.result(await command('faulty.ok', '{}')), expected);
  });

  it('I8 a payload above the limit of the module: PAYLOAD_TOO_LARGE for the caller and as the result', async () => {
    const expected = { code: 'PAYLOAD_TOO_LARGE' };
    const payload = JSON.stringify({ add: ' '.repeat(262_144) });
    await refusedAtOnce('faulty.ok.large', expected, payload);
    await logIsRead();
    assert.deepEqual(recorded('large'), []);
    assertRefused(await log.result(await command('faulty.ok.large', payload)), expected);
  });

  it('I8 a payload above what the server takes is refused aloud and not recorded', async () => {
    const { code, stderr } = await natsCli(['req', 'cmd.faulty.ok.huge', '--force-stdin', '--no-templates'], {
      url: broker.url,
      input: ' '.repeat(1_048_577),
    });
    assert.notEqual(code, 0);
    assert.match(stderr, /maximum payload exceeded/);
    await logIsRead();
    assert.deepEqual(recorded('huge'), []);
    // The largest that the server takes has no room left for the headers of a record.
    await refusedCommand('faulty.ok.huge', { code: 'PAYLOAD_TOO_LARGE' }, ' '.repeat(1_048_576));
    const largest = await command('faulty.ok.large', ' '.repeat(983_040));
    assertRefused(await log.result(largest), { code: 'PAYLOAD_TOO_LARGE' });
  });

  it('a caller that claims to be a handler is told that it is none', async () => {
    const expected = { code: 'HEADER_INVALID' };
    const claim = { 'Tally-Call': '1', 'Tally-Cause': '999999999' };
    await refusedAtOnce('faulty.ok.claimed', expected, '{}', claim);
    await refusedAtOnce('faulty.ok.claimed', expected, '{}', { 'Tally-Call': '1' });
    await logIsRead();
    assert.deepEqual(recorded('claimed'), []);
  });

  it('a client of the SDK gets the same errors as JSON and as headers', async () => {
    const request = async (address: string, payload: string | Uint8Array, h?: Headers) => {
      const sent = makeHeaders();
      for (const [name, value] of Object.entries(h ?? {})) sent.set(name, value);
      const reply = await nc.request(`call.${address}`, payload, { timeout: 20_000, headers: sent });
      const shown = ['Nats-Service-Error', 'Nats-Service-Error-Code'].map((name) => [
        name,
        reply.headers?.get(name) ?? '',
      ]);
      return { result: reply.json<Result>(), headers: Object.fromEntries(shown) as Headers };
    };
    const wrong = async (expected: Expected, ...args: Parameters<typeof request>): Promise<void> => {
      const { result, headers } = await request(...args);
      assertRefused(result, expected);
      assertServiceError(headers, expected);
    };
    await wrong({ code: 'PAYLOAD_NOT_JSON' }, 'faulty.ok.sdk', new Uint8Array([0xff, 0xfe]));
    await wrong({ code: 'PAYLOAD_INVALID', path: '/add' }, 'faulty.ok.sdk', '{"add":1.5}');
    await wrong({ code: 'HANDLER_THREW' }, 'faulty.throws.sdk', '{}');
    await wrong({ code: 'MODULE_UNKNOWN' }, 'nobody.ok.sdk', '{}');
    await wrong({ code: 'DEADLINE_PAST' }, 'faulty.ok.sdk', '{}', { 'Tally-Deadline': ago() });
    const good = await request('faulty.ok.sdk', '', { 'Tally-Deadline': '2999-01-01T00:00:00Z' });
    assert.deepEqual(good.result, { status: 'ok', data: { total: 0 } });
    assert.equal(good.headers['Nats-Service-Error'], '');
  });

  it('a conversation that is no sequence is refused, whatever asks', async () => {
    const bad = fc.oneof(
      fc.constantFrom('-1', '0', '01', '1e3', '1.0', '0x1', '99999999999999999999', '1 2', 'one'),
      fc.stringMatching(/^[!-~]{1,20}$/).filter((text) => !/^[1-9][0-9]{0,15}$/.test(text)),
    );
    for (const conversation of fc.sample(bad, { numRuns: 40, seed: 15 })) {
      const headers = { 'Tally-Conversation': conversation };
      const { result } = await call('faulty.ok.sdk', '{}', headers);
      assertRefused(result, { code: 'HEADER_INVALID' });
      const reply = await natsRequest(broker.url, 'cmd.faulty.ok.sdk', '{}', headers);
      assert.match(reply.body, /HEADER_INVALID/, conversation);
    }
  });

  it('tallystick call says what was wrong and exits 1', async () => {
    const { code, stdout, stderr } = await tallystick(['call', 'faulty.ok.cli', '{"add":"x"}', '--json'], {
      dataDir: broker.dataDir,
    });
    assert.equal(code, 1);
    assertRefused(JSON.parse(stdout) as Result, { code: 'PAYLOAD_INVALID', path: '/add' });
    // For a program the answer on stdout says it all.
    assert.equal(stderr, '');
    const plain = await tallystick(['call', 'faulty.ok.cli', '{"add":"x"}'], { dataDir: broker.dataDir });
    assert.match(plain.stderr, /^tallystick: PAYLOAD_INVALID: /);
  });
});

describe('what is in flight beside a command that ends the process', () => {
  let round = 0;

  /** Has handlers wait for `release`, and one for `trigger` beside them; resolves when all are under way. */
  const inFlight = async (culprit: string, headers: Headers = {}) => {
    round += 1;
    const trigger = join(dir.path, `trigger-${round}`);
    const release = join(dir.path, `release-${round}`);
    const waiting: number[] = [];
    for (const agent of ['a', 'b', 'c']) {
      waiting.push(
        await command(`faulty.waits.${agent}-${round}`, JSON.stringify({ until: release }), headers),
      );
    }
    const fatal = await command(`faulty.${culprit}.d-${round}`, JSON.stringify({ until: trigger }), headers);
    const restarts = () => broker.stderr.filter((line) => /it starts again/.test(line)).length;
    await waitFor('all handlers to be under way', () =>
      [...waiting, fatal].every((seq) =>
        broker.stderr.some((line) => line.includes(`[faulty] handling ${seq} (`)),
      ),
    );
    return { trigger, release, waiting, fatal, restarts };
  };

  const culprits = ['exits_later', 'crashes_later', 'rejects_later', 'aborts_later'];
  for (const culprit of byForm({ short: culprits.slice(0, 1), deep: culprits })) {
    it(`I3 ${culprit}: it alone is blamed, the others are handled`, async () => {
      const { trigger, release, waiting, fatal, restarts } = await inFlight(culprit);
      const before = restarts();
      await writeFile(trigger, '');
      await waitFor('the process to end', () => restarts() > before);
      await writeFile(release, '');
      assertRefused(await log.result(fatal), { code: 'HANDLER_CRASHED' });
      for (const seq of waiting) assert.deepEqual(await log.result(seq), { status: 'ok', data: {} });
    });
  }

  const deadlineIn = async (ms: number) => {
    const deadline = Date.now() + ms;
    const flight = await inFlight('aborts_later', { 'Tally-Deadline': new Date(deadline).toISOString() });
    await waitFor('the deadline to pass', () => Date.now() > deadline);
    return flight;
  };

  const finished = async ({ waiting, fatal }: Awaited<ReturnType<typeof deadlineIn>>): Promise<void> => {
    assertRefused(await log.result(fatal), { code: 'HANDLER_CRASHED' });
    for (const seq of waiting) assert.deepEqual(await log.result(seq), { status: 'ok', data: {} });
  };

  it('I3 handlers that may have ended the process are finished behind their deadlines, and hold nobody up', async () => {
    const flight = await deadlineIn(5_000);
    await writeFile(flight.trigger, '');
    await writeFile(flight.release, '');
    await finished(flight);
    // Another effectful handler, which waits until no suspect is left.
    const { result } = await call(`faulty.throws_async.e-${round}`, '{}');
    assertRefused(result, { code: 'HANDLER_THREW' });
  });

  it('I3 a handler that had ended, and whose result was not stored, is finished behind its deadline', async () => {
    const flight = await deadlineIn(5_000);
    const before = flight.restarts();
    const plan = join(failDir, 'faulty');
    await writeFile(plan, 'host.decided@1:kill\n');
    const { modules } = await brokerStatus(broker.dataDir);
    process.kill(Number(modules.find(({ name }) => name === 'faulty')?.pid), 'SIGUSR2');
    await waitFor('the plan to be taken', async () => (await readFile(plan, 'utf8')) === '');
    await writeFile(flight.release, '');
    await waitFor('the process to end', () => flight.restarts() > before);
    await writeFile(flight.trigger, '');
    await finished(flight);
  });

  itInDeep(
    'I3 commands in a row that each end the process are each answered, and what comes behind is handled',
    async () => {
      const agents = ['x', 'y', 'z'];
      const sent = agents.map((agent) => nc.request(`cmd.faulty.exits.${agent}`, '{"code":4}', PATIENT));
      const behind = nc.request('cmd.faulty.ok.z', '{"add":7}', PATIENT);
      const seqs = (await Promise.all([...sent, behind])).map((ack) => ack.json<{ seq: number }>().seq);
      for (const seq of seqs.slice(0, 3)) assertRefused(await log.result(seq), { code: 'HANDLER_CRASHED' });
      assert.deepEqual((await log.result(seqs[3] as number)).status, 'ok');
    },
  );

  it('I3 after all of this, every command in the log has exactly one result', async () => {
    const { stdout } = await tallystick(['replay', 'history', '--json'], { dataDir: broker.dataDir });
    const records = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { seq: number; kind: string; cause: number | null });
    const commands = records.filter(({ kind }) => kind === 'cmd').map(({ seq }) => seq);
    const answered = records.filter(({ kind }) => kind === 'res').map(({ cause }) => cause as number);
    assert.ok(commands.length > 100);
    assert.deepEqual(
      answered.sort((a, b) => a - b),
      commands,
    );
  });
});
