import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { connect } from 'nats';
import { ERRORS, isErrorCode } from '../../schemas/error-table.js';
import { HEADER } from '../../schemas/headers.js';
import { seedIn } from '../../link/token-file.js';
import { startBroker, tallystick, type TestBroker } from '../support/broker.js';
import { PROJECT_ROOT } from '../support/project-root.js';
import { processesMentioning } from '../support/processes.js';
import { tempDir } from '../support/temp-dir.js';
import { waitFor } from '../support/wait-for.js';
import { bearer, type HttpSaid, httpAt } from './http-requests.js';
import { PATIENT } from '../support/patient.js';

const dir = tempDir();
const dataDir = join(dir.path, 'data');
let broker: TestBroker;
let http: ReturnType<typeof httpAt>;

before(async () => {
  broker = await startBroker({ dataDir, http: true, shipped: ['accounts'], args: ['--durability', 'os'] });
  http = httpAt(broker.ready.http ?? '');
});
after(async () => {
  await broker?.[Symbol.asyncDispose]();
  await dir[Symbol.asyncDispose]();
});

const isProblem = (said: HttpSaid, code: string, status: number): void => {
  assert.deepEqual([said.body.code, said.status, said.body.status], [code, status, status]);
  assert.equal(said.type, 'application/problem+json');
  assert.equal(said.body.type, `urn:tallystick:error:${code}`);
  assert.equal(typeof said.body.detail, 'string');
};

const tokenOf = async (name: string, ...allow: readonly string[]): Promise<string> => {
  const path = join(dir.path, `${name}.token`);
  const grants = allow.flatMap((grant) => ['--allow', grant]);
  const made = await tallystick(['token', 'create', name, ...grants, '--out', path], { dataDir });
  assert.equal(made.code, 0, made.stderr);
  return seedIn(readFileSync(path, 'utf8')) ?? '';
};

/** The series of a metric, by its line `# TYPE`. */
const namesOf = ([, name = '', type]: readonly string[]): readonly string[] =>
  type === 'histogram' ? ['_bucket', '_sum', '_count'].map((end) => name + end) : [name];

const httpProcess = (): number | undefined =>
  processesMentioning(broker.url).find(({ command }) => command.includes('http-main.js'))?.pid;

describe('HTTP', () => {
  test('the process that serves it starts with the first connection', async () => {
    assert.equal(httpProcess(), undefined);
    assert.deepEqual((await http.get('/healthz')).body, { status: 'ok' });
    assert.ok(httpProcess());
    assert.deepEqual((await http.get('/readyz')).body, { status: 'ready' });
  });

  test('a call has the result of the log, and says where it is', async () => {
    const said = await http.post('/v1/calls/accounts/deposit/alice', '{"amount":5}');
    assert.deepEqual([said.status, said.body], [200, { status: 'ok', data: { balance: 5 } }]);
    const seq = Number(said.headers.get(HEADER.cause));
    const result = Number(said.headers.get(HEADER.result));
    assert.ok(seq > 0 && result > seq);
    const state = await http.get(`/v1/agents/accounts/alice?atLeast=${result}`);
    assert.equal((state.body.state as { readonly balance: number }).balance, 5);
    const again = await http.get(`/v1/results/${seq}`);
    assert.deepEqual(again.body, said.body);
  });

  test('a command is accepted, and its result is where Location says', async () => {
    const sent = await http.post('/v1/commands/accounts/deposit/bob', '{"amount":7}');
    assert.equal(sent.status, 202);
    const result = await http.get(sent.headers.get('location') ?? '');
    assert.deepEqual([result.status, result.body], [200, { status: 'ok', data: { balance: 7 } }]);
  });

  test('requests with one Idempotency-Key are one command, also when they are sent in different ways', async () => {
    const key = { 'Idempotency-Key': 'order-17' };
    const path = 'accounts/deposit/carl';
    const calls = await Promise.all(
      Array.from({ length: 20 }, () => http.post(`/v1/calls/${path}`, '{"amount":1}', key)),
    );
    assert.deepEqual(new Set(calls.map(({ headers }) => headers.get(HEADER.cause))).size, 1);
    const sent = await http.post(`/v1/commands/${path}`, '{"amount":1}', { 'Idempotency-Key': '"order-17"' });
    assert.equal(`${sent.body.seq}`, calls[0]?.headers.get(HEADER.cause));
    isProblem(await http.post(`/v1/calls/${path}`, '{"amount":2}', key), 'KEY_REUSED', 409);
  });

  const cases: readonly (readonly [name: string, code: string, ask: () => Promise<HttpSaid>])[] = [
    [
      'an input that the schema refuses',
      'PAYLOAD_INVALID',
      () => http.post('/v1/calls/accounts/deposit/a', '{"amount":-1}'),
    ],
    ['an input that is not JSON', 'PAYLOAD_NOT_JSON', () => http.post('/v1/calls/accounts/deposit/a', '{')],
    [
      'an input that is too large',
      'PAYLOAD_TOO_LARGE',
      () => http.post('/v1/calls/accounts/deposit/a', 'x'.repeat(2_000_000)),
    ],
    ['an unknown module', 'MODULE_UNKNOWN', () => http.post('/v1/calls/nobody/deposit/a', '{}')],
    ['an unknown action', 'ACTION_UNKNOWN', () => http.post('/v1/calls/accounts/nothing/a', '{}')],
    ['no agent', 'AGENT_REQUIRED', () => http.post('/v1/calls/accounts/deposit', '{}')],
    ['a name that is none', 'NAME_INVALID', () => http.post('/v1/calls/accounts/deposit/a%20b', '{}')],
    [
      'a name with the wildcard of NATS',
      'NAME_INVALID',
      () => http.post('/v1/calls/accounts/deposit/%3E', '{}'),
    ],
    ['a name with a dot', 'NAME_INVALID', () => http.get('/v1/agents/accounts.deposit/a')],
    [
      'a deadline that is no time',
      'HEADER_INVALID',
      () => http.post('/v1/calls/accounts/deposit/a', '{"amount":1}', { 'Tally-Deadline': 'soon' }),
    ],
    [
      'a key with a blank',
      'HEADER_INVALID',
      () => http.post('/v1/calls/accounts/deposit/a', '{"amount":1}', { 'Idempotency-Key': 'a b' }),
    ],
    [
      'no JSON by its content type',
      'HTTP_INVALID',
      () => http.post('/v1/calls/accounts/deposit/a', '{"amount":1}', { 'Content-Type': 'text/plain' }),
    ],
    ['a wait that is none', 'HTTP_INVALID', () => http.get('/v1/results/1?wait=soon')],
    ['a wait that is too long', 'HTTP_INVALID', () => http.get('/v1/results/1?wait=2d')],
    ['two waits', 'HTTP_INVALID', () => http.get('/v1/results/1?wait=1s&wait=2s')],
    ['a sequence that is none', 'HTTP_INVALID', () => http.get('/v1/results/-1')],
    ['a result of no command', 'COMMAND_UNKNOWN', () => http.get('/v1/results/999999')],
    ['an unknown agent', 'AGENT_UNKNOWN', () => http.get('/v1/agents/accounts/nobody-yet')],
    ['an unknown path', 'HTTP_UNKNOWN', () => http.get('/v1/nothing')],
    ['a path that cannot be decoded', 'HTTP_INVALID', () => http.get('/v1/agents/accounts/%ff')],
    [
      'a token that is none',
      'SERVER_REFUSED',
      () => http.get('/v1/agents/accounts/a', { Authorization: 'Bearer nothing' }),
    ],
    [
      'another scheme',
      'SERVER_REFUSED',
      () => http.get('/v1/agents/accounts/a', { Authorization: 'Basic YTpi' }),
    ],
    [
      'a page of another site',
      'HTTP_FORBIDDEN',
      () => http.post('/v1/calls/accounts/deposit/a', '{"amount":1}', { Origin: 'http://evil.example' }),
    ],
  ];
  for (const [name, code, ask] of cases)
    test(`${name}: ${code}`, async () => {
      const status = isErrorCode(code) ? ERRORS[code].service : 422;
      isProblem(await ask(), code, status);
    });

  test('a rejection of the module has its code', async () => {
    const said = await http.post('/v1/calls/accounts/withdraw/poor', '{"amount":1}');
    isProblem(said, 'INSUFFICIENT_FUNDS', 422);
    assert.equal(said.body.result, 'rejected');
  });

  test('a token may do what it may over NATS, and nothing when it is revoked', async () => {
    const seed = await tokenOf('shop', 'call accounts.deposit.shop-*', 'read accounts.shop-*');
    const me = bearer(seed);
    const path = '/v1/calls/accounts/deposit';
    assert.equal((await http.post(`${path}/shop-1`, '{"amount":3}', me)).status, 200);
    isProblem(await http.post(`${path}/other`, '{"amount":3}', me), 'NOT_ALLOWED', 403);
    isProblem(await http.get('/v1/agents/accounts/alice', me), 'NOT_ALLOWED', 403);
    const history = await tallystick(['replay', 'history', '--agent', 'shop-1', '--json'], { dataDir });
    assert.match(history.stdout, /"sender":"_shop"/);
    const revoked = await tallystick(['token', 'revoke', 'shop'], { dataDir });
    assert.equal(revoked.code, 0, revoked.stderr);
    isProblem(await http.post(`${path}/shop-1`, '{"amount":3}', me), 'SERVER_REFUSED', 401);
  });

  test('an operator reads metrics, and each metric of the alerts is there', async () => {
    isProblem(await http.get('/metrics'), 'SERVER_REFUSED', 401);
    isProblem(
      await http.get('/metrics', bearer(await tokenOf('caller', 'call accounts.*'))),
      'NOT_ALLOWED',
      403,
    );
    const nc = await connect({ servers: broker.url });
    await nc.request('subscription.open.books', '{"events":["accounts.deposited"],"from":"start"}', PATIENT);
    await nc.close();
    const me = bearer(await tokenOf('prometheus', 'operate reader'));
    const text = await waitFor('a beat of the module to tell of its commands', async () => {
      const scraped = await fetch(`${broker.ready.http}/metrics`, { headers: me });
      assert.match(scraped.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
      const found = await scraped.text();
      return /^tallystick_command_seconds_count\{module="accounts"\} [1-9]/m.test(found) && found;
    });
    const value = (line: string): number =>
      Number(
        text
          .split('\n')
          .find((each) => each.startsWith(`${line} `))
          ?.slice(line.length),
      );
    assert.equal(value('tallystick_module_up{module="accounts"}'), 1);
    const calls = value('tallystick_calls_total{module="accounts",action="deposit"}');
    assert.ok(calls > 20);
    assert.equal(value('tallystick_call_seconds_count{module="accounts",action="deposit"}'), calls);
    assert.ok(value('tallystick_call_seconds_bucket{le="30",module="accounts",action="deposit"}') > 20);
    assert.ok(value('tallystick_subscription_lag{account="guest",name="books"}') > 0);
    for (const name of ['routing', 'processing', 'command'])
      assert.ok(value(`tallystick_${name}_seconds_count{module="accounts"}`) > 0, name);
    assert.ok(value('tallystick_command_seconds_sum{module="accounts"}') > 0);
    assert.equal(value('tallystick_records_dropped_total'), 0);
    assert.ok(value('tallystick_module_snapshot_lag{module="accounts"}') >= 0);
    assert.ok(value('tallystick_journal_in_flight') <= value('tallystick_journal_pending'));
    assert.ok(
      value('tallystick_journal_grouped_records_total') >= 2 * value('tallystick_journal_groups_total'),
    );
    assert.ok(value('tallystick_refused_requests_total{code="ACTION_UNKNOWN"}') > 0);
    assert.ok(value('tallystick_network_received_bytes_total') > 1_000);
    for (const name of ['broker', 'server', 'http'])
      assert.ok(value(`tallystick_process_memory_bytes{process="${name}"}`) > 1_000_000, name);
    const told = new Set([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].flatMap(namesOf));
    for (const file of [
      ['prometheus', 'tallystick.rules.yml'],
      ['grafana', 'tallystick.json'],
    ]) {
      const asked = readFileSync(join(PROJECT_ROOT, 'deploy', ...file), 'utf8');
      for (const [name] of asked.matchAll(/\btallystick_[a-z_]+/g))
        assert.ok(told.has(name), `${file}: ${name}`);
    }
  });

  test('metrics tell of calls and of subscriptions that come, fall behind, and go', async () => {
    const me = bearer(await tokenOf('watcher', 'operate reader'));
    const value = async (line: string): Promise<number | undefined> => {
      const text = await (await fetch(`${broker.ready.http}/metrics`, { headers: me })).text();
      const found = text.split('\n').find((each) => each.startsWith(`${line} `));
      return found === undefined ? undefined : Number(found.slice(line.length));
    };
    const calls = 'tallystick_calls_total{module="accounts",action="deposit"}';
    const commands = 'tallystick_commands_total{module="accounts",action="deposit"}';
    const records = 'tallystick_log_records';
    const lag = 'tallystick_subscription_lag{account="guest",name="late"}';
    const before = {
      calls: await value(calls),
      commands: await value(commands),
      records: await value(records),
    };
    assert.equal(await value(lag), undefined);
    const nc = await connect({ servers: broker.url });
    await nc.request('subscription.open.late', '{"events":["accounts.deposited"],"from":"now"}', PATIENT);
    await waitFor('the subscription', async () => (await value(lag)) === 0);
    for (const times of [1, 2, 3]) {
      await http.post('/v1/calls/accounts/deposit/watched', '{"amount":1}');
      await waitFor(`${times} events`, async () => (await value(lag)) === times);
    }
    await waitFor('the calls', async () => (await value(calls)) === (before.calls ?? 0) + 3);
    await waitFor('their results', async () => (await value(commands)) === (before.commands ?? 0) + 3);
    await waitFor('their records', async () => ((await value(records)) ?? 0) >= (before.records ?? 0) + 9);
    const { events } = (await nc.request('subscription.next.late', '{"after":0}', PATIENT)).json<{
      events: readonly { readonly seq: number }[];
    }>();
    await nc.request('subscription.ack.late', JSON.stringify({ seq: events.at(-1)?.seq }), PATIENT);
    await waitFor('the acknowledgement', async () => (await value(lag)) === 0);
    await nc.request('subscription.delete.late', '', PATIENT);
    await waitFor('the subscription to go', async () => (await value(lag)) === undefined);
    await nc.close();
  });

  test('an operator reads the subjects of the loaded modules, over HTTP and from the command line', async () => {
    isProblem(await http.get('/asyncapi.json'), 'SERVER_REFUSED', 401);
    const { body } = await http.get('/asyncapi.json', bearer(await tokenOf('tools', 'operate reader')));
    assert.ok(Object.hasOwn(body.channels as object, 'call-accounts-deposit'));
    const printed = await tallystick(['asyncapi'], { dataDir });
    assert.equal(printed.code, 0, printed.stderr);
    assert.deepEqual(JSON.parse(printed.stdout), body);
  });

  test('a killed process is replaced by the next connection', async () => {
    const pid = httpProcess() ?? 0;
    process.kill(pid, 'SIGKILL');
    const served = await waitFor('HTTP to be served again', async () => {
      try {
        return (await http.get('/healthz')).status === 200;
      } catch {
        return false;
      }
    });
    assert.ok(served);
    assert.notEqual(httpProcess(), pid);
  });

  test('it does not outlive a broker that is killed', async () => {
    assert.ok(httpProcess());
    await broker.kill('SIGKILL');
    await waitFor('the process to end', () => httpProcess() === undefined);
  });
});
