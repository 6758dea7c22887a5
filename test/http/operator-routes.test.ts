import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { HEADER } from '../../schemas/headers.js';
import { tallystick } from '../support/broker.js';
import { waitFor } from '../support/wait-for.js';
import { writeClerk } from './clerk-module.js';
import type { HttpHeaders, HttpSaid } from './http-requests.js';
import { BURST, isProblem, type OperatorBroker, startOperatorBroker } from './operator-broker.js';

let own: OperatorBroker;
let dataDir: string;
let clerkDir: string;
let http: OperatorBroker['http'];
let reader: HttpHeaders;
let keeper: HttpHeaders;
let admin: HttpHeaders;
let printed: OperatorBroker['printed'];
let lines: OperatorBroker['lines'];
let tokenOf: OperatorBroker['tokenOf'];

const seqOf = (said: HttpSaid, name: string = HEADER.cause): number => Number(said.headers.get(name));

before(async () => {
  own = await startOperatorBroker();
  ({ dataDir, http, reader, keeper, admin, printed, lines, tokenOf } = own);
  clerkDir = join(own.path, 'clerk');
  writeClerk(clerkDir);
});
after(async () => {
  await own?.[Symbol.asyncDispose]();
});

const READS = [
  '/v1/status',
  '/v1/stats',
  '/v1/modules',
  '/v1/modules/accounts',
  '/v1/modules/accounts/stats',
  '/v1/records',
  '/v1/records/stream',
  '/v1/records/1',
  '/v1/records/1/trace',
  '/v1/conversations',
  '/v1/conversations/1',
  '/v1/agents/accounts',
  '/v1/agents/accounts/alice?at=1',
  '/v1/dead',
  '/v1/dead/1',
  '/v1/schedules',
  '/v1/schedules/x',
  '/v1/waits',
  '/v1/logs',
  '/v1/modules/accounts/logs',
];
const CHANGES: readonly (readonly [path: string, body: string, role: 'reader' | 'keeper' | 'admin'])[] = [
  ['/v1/modules', '{"dir":"/nowhere"}', 'admin'],
  ['/v1/modules/accounts/unload', '{}', 'admin'],
  ['/v1/modules/accounts/reload', '{}', 'admin'],
  ['/v1/dead/redrive', '{"seqs":[1]}', 'keeper'],
  ['/v1/schedules/x/cancel', '{}', 'keeper'],
  ['/v1/verifications', '{}', 'reader'],
  ['/v1/bursts', BURST, 'admin'],
  ['/v1/bursts/x/cancel', '{}', 'admin'],
];

describe('HTTP for operators', () => {
  test('is refused to guests, to tokens without a role, and to lower roles', async () => {
    const caller = await tokenOf('caller', 'call accounts.*', 'read accounts');
    for (const path of READS) {
      isProblem(await http.get(path), 'SERVER_REFUSED', 401);
      isProblem(await http.get(path, caller), 'NOT_ALLOWED', 403);
    }
    for (const [path, body, role] of CHANGES) {
      isProblem(await http.post(path, body), 'SERVER_REFUSED', 401);
      isProblem(await http.post(path, body, caller), 'NOT_ALLOWED', 403);
      if (role !== 'reader') isProblem(await http.post(path, body, reader), 'NOT_ALLOWED', 403);
      if (role === 'admin') isProblem(await http.post(path, body, keeper), 'NOT_ALLOWED', 403);
    }
  });

  test('bad queries and bodies have typed answers', async () => {
    for (const path of [
      '/v1/status?x=1',
      '/v1/records?modul=accounts',
      '/v1/records?limit=0',
      '/v1/records?limit=1001',
      '/v1/records?limit=1&last=1',
      '/v1/records?kind=cmds',
      '/v1/records?from=then',
      '/v1/records?module=a.b',
      '/v1/records?module=a&module=b',
      '/v1/records/0',
      '/v1/logs?limit=501',
      '/v1/logs?level=loud',
      '/v1/logs?since=7',
      '/v1/logs?since=then',
      '/v1/logs?after=x',
      '/v1/modules/a.b/logs',
      '/v1/waits?limit=0',
      '/v1/waits?from=1',
      '/v1/records/stream?to=9',
      '/v1/records/1/trace?all=yes',
      '/v1/agents/accounts?where=x',
      '/v1/agents/accounts?limit=9999',
      '/v1/agents/accounts/alice?at=then',
      '/v1/agents/accounts/alice?at=1&atLeast=2',
    ])
      assert.equal((await http.get(path, reader)).status, 400, path);
    for (const [path, body] of [
      ['/v1/modules', '[]'],
      ['/v1/modules', '{"path":"/x"}'],
      ['/v1/modules', '{"dir":1}'],
      ['/v1/modules/accounts/reload', '{"grant":"yes"}'],
      ['/v1/dead/redrive', '{}'],
      ['/v1/dead/redrive', '{"seqs":[0]}'],
      ['/v1/dead/redrive', '{"seqs":[]}'],
      ['/v1/schedules/x/cancel', '{"now":true}'],
      ['/v1/verifications', '{"from":"then"}'],
      ['/v1/verifications', '{"certificate":1}'],
      ['/v1/verifications', '{'],
      ['/v1/bursts', '{}'],
      ['/v1/bursts', BURST.replace('500', '50001')],
      ['/v1/bursts', BURST.replace('2,', '0,')],
      ['/v1/bursts', BURST.replace('}', ',"kill":"--keep"}')],
    ] as const)
      assert.equal((await http.post(path, body, admin)).status, 400, `${path} ${body}`);
  });

  test('status, modules and their numbers are what the command line prints', async () => {
    const status = (await http.get('/v1/status', reader)).body as { dataDir: string };
    assert.equal(status.dataDir, dataDir);
    const info = await http.get('/v1/modules/accounts', reader);
    assert.deepEqual(
      Object.keys(info.body),
      Object.keys((await printed('module', 'info', 'accounts')) as object),
    );
    await http.post('/v1/calls/accounts/deposit/alice', '{"amount":5}');
    // The module says a little later how much it has handled.
    await waitFor('the numbers of the module', async () => {
      const { body } = await http.get('/v1/stats', reader);
      const [{ handled = 0, agents = 0 } = {}] = body.modules as readonly {
        handled?: number;
        agents?: number;
      }[];
      return (handled > 0 && agents > 0) || undefined;
    });
    assert.deepEqual((await http.get('/v1/stats', reader)).body, await printed('module', 'stats'));
    assert.deepEqual(
      (await http.get('/v1/modules/accounts/stats', reader)).body,
      await printed('module', 'stats', 'accounts'),
    );
    isProblem(await http.get('/v1/modules/nobody', reader), 'MODULE_UNKNOWN', 404);
  });

  test('modules are loaded, reloaded and unloaded', async () => {
    const loaded = await http.post('/v1/modules', JSON.stringify({ dir: clerkDir, grant: true }), admin);
    assert.deepEqual(
      [loaded.status, loaded.body.name, loaded.body.state],
      [200, 'clerk', 'loaded'],
      JSON.stringify(loaded.body),
    );
    const reloaded = await http.post('/v1/modules/clerk/reload', '{"untried":true,"grant":true}', admin);
    assert.equal(reloaded.body.state, 'loaded', JSON.stringify(reloaded.body));
    const unloaded = await http.post('/v1/modules/clerk/unload', '{}', admin);
    assert.equal(unloaded.body.state, 'unloaded');
    isProblem(await http.post('/v1/modules', '{"dir":"/nowhere"}', admin), 'MANIFEST_INVALID', 400);
    const again = await http.post('/v1/modules', JSON.stringify({ dir: clerkDir, grant: true }), admin);
    assert.equal(again.body.state, 'loaded');
  });

  test('records are read by pages, forward and backward, as history prints them', async () => {
    for (const amount of [1, 2, 3]) await http.post('/v1/calls/accounts/deposit/bob', `{"amount":${amount}}`);
    // The events come behind the results.
    await waitFor('the records of bob', async () => {
      const { body } = await http.get('/v1/records?agent=bob', reader);
      return (body.records as readonly unknown[]).length === 9 || undefined;
    });
    const all = await lines('replay', 'history', '--agent', 'bob');
    const paged: unknown[] = [];
    for (let from: unknown = 1; from !== null; ) {
      const { body } = await http.get(`/v1/records?agent=bob&limit=2&from=${from}`, reader);
      const records = body.records as readonly unknown[];
      assert.ok(records.length <= 2);
      paged.push(...records);
      from = body.next;
    }
    assert.deepEqual(paged, all);
    const { body } = await http.get('/v1/records?agent=bob&last=2', reader);
    assert.deepEqual(body.records, all.slice(-2));
    const before = await http.get(`/v1/records?agent=bob&last=2&to=${body.previous}`, reader);
    assert.deepEqual(before.body.records, all.slice(-4, -2));
    const [first] = all as readonly { readonly seq: number }[];
    assert.deepEqual((await http.get(`/v1/records/${first?.seq}`, reader)).body, first);
    isProblem(await http.get('/v1/records/99999999', reader), 'CONVERSATION_UNKNOWN', 404);
    const trace = (await http.get(`/v1/records/${first?.seq}/trace`, reader)).body;
    const told = (await printed('replay', 'trace', `${first?.seq}`)) as typeof trace;
    assert.deepEqual({ ...trace, read: null }, { ...told, read: null });
  });

  test('sensitive values are hidden', async () => {
    const said = await http.post('/v1/calls/clerk/note/n1', '{"text":"secret-17"}', keeper);
    assert.equal(said.status, 200, JSON.stringify(said.body));
    const record = await http.get(`/v1/records/${seqOf(said)}`, reader);
    assert.equal(record.body.kind, 'cmd');
    assert.doesNotMatch(JSON.stringify(record.body), /secret-17/);
  });

  test('agents are listed by pages, and read as they were', async () => {
    const seqs: number[] = [];
    for (const amount of [1, 2, 3]) {
      const said = await http.post('/v1/calls/accounts/deposit/carol', `{"amount":${amount}}`);
      seqs.push(seqOf(said, HEADER.result));
    }
    const page = await http.get(`/v1/agents/accounts?limit=2&atLeast=${seqs.at(-1)}`, reader);
    assert.deepEqual(
      (page.body.agents as readonly { agent: string }[]).map(({ agent }) => agent),
      ['alice', 'bob'],
    );
    assert.equal(page.body.next, 'bob');
    const rest = await http.get('/v1/agents/accounts?after=bob', reader);
    assert.deepEqual(
      (rest.body.agents as readonly { agent: string }[]).map(({ agent }) => agent),
      ['carol'],
    );
    assert.deepEqual(rest.body, await printed('agent', 'list', 'accounts', '--after', 'bob'));
    for (const [i, balance] of [1, 3, 6].entries()) {
      const { body } = await http.get(`/v1/agents/accounts/carol?at=${seqs[i]}`, reader);
      assert.deepEqual([body.seq, body.state], [seqs[i], { balance, outgoing: {} }], JSON.stringify(body));
    }
    const past = (await http.get(`/v1/agents/accounts/carol?at=${seqs[1]}`, reader)).body;
    const told = (await printed('agent', 'get', 'accounts', 'carol', '--at', `${seqs[1]}`)) as typeof past;
    assert.deepEqual({ ...past, folded: 0 }, { ...told, folded: 0 });
    isProblem(await http.get('/v1/agents/accounts/carol?at=1', reader), 'AGENT_UNKNOWN', 404);
    const failed = await http.get('/v1/agents/accounts?where=nothing%3D1', reader);
    assert.equal(failed.status, 400, JSON.stringify(failed.body));
  });

  test('a signal and a promise end waits, and a command that waits is cancelled', async () => {
    const hear = await http.post('/v1/commands/clerk/hear/h1', '{}', keeper);
    assert.equal(hear.status, 202, JSON.stringify(hear.body));
    isProblem(await http.post('/v1/signals/clerk/h1/pa.id', '{}', keeper), 'NAME_INVALID', 400);
    const signal = await http.post('/v1/signals/clerk/h1/paid', '{"by":"card"}', keeper);
    assert.equal(signal.status, 202, JSON.stringify(signal.body));
    const heard = await http.get(`/v1/results/${seqOf(hear)}`, keeper);
    assert.deepEqual(heard.body.data, { heard: { by: 'card' } });

    const held = await Promise.all(
      ['p1', 'p2', 'p3'].map((agent) => http.post(`/v1/commands/clerk/hold/${agent}`, '{}', keeper)),
    );
    const ids = await waitFor('the ids of the promises', async () => {
      // What the steps of a module with sensitive inputs store is hidden, also over HTTP.
      const steps = await lines('replay', 'history', '--kind', 'step', '--name', 'hold', '--reveal');
      const told = (steps as readonly { agent: string; data: { value?: unknown } }[]).flatMap(
        ({ agent, data }) => (typeof data.value === 'string' ? [[agent, data.value] as const] : []),
      );
      return told.length === 3 ? new Map(told) : undefined;
    });
    const waits = await waitFor('the waits', async () => {
      const { body } = await http.get('/v1/waits?module=clerk', reader);
      return body.count === 3 ? (body.waits as readonly Record<string, unknown>[]) : undefined;
    });
    assert.deepEqual(
      waits.map(({ command, agent, action, waitsFor, signal, until }) => [
        ...[command, agent, action],
        ...[waitsFor, signal, until],
      ]),
      held.map((said, i) => [seqOf(said), `p${i + 1}`, 'hold', 'promise', null, null]).sort(),
    );
    const paged: unknown[] = [];
    for (let after: string | undefined; after !== 'null'; ) {
      const { body } = await http.get(
        `/v1/waits?limit=2${after === undefined ? '' : `&after=${after}`}`,
        reader,
      );
      assert.equal(body.count, 3);
      paged.push(...(body.waits as readonly unknown[]));
      const more = after === undefined ? [] : ['--after', after];
      assert.deepEqual(body, await printed('wait', 'list', '--limit', '2', ...more));
      after = `${body.next as string | null}`;
    }
    assert.deepEqual(paged, waits);
    isProblem(await http.get('/v1/waits?after=17', reader), 'HTTP_INVALID', 400);
    // What ends a promise is for the one who was given it.
    for (const id of ids.values()) assert.ok(!JSON.stringify(waits).includes(id.split('-')[2] ?? ''));
    const open = await waitFor('the open conversations', async () => {
      const { body } = await http.get('/v1/conversations?module=clerk', reader);
      return (body.conversations as readonly unknown[]).length === 3 ? body : undefined;
    });
    assert.deepEqual(open, await printed('conversation', 'list', '--module', 'clerk'));
    const [first] = open.conversations as readonly { conversation: number }[];
    assert.deepEqual((await http.get(`/v1/conversations/${first?.conversation}`, reader)).body, first);
    isProblem(await http.get('/v1/conversations/1', reader), 'CONVERSATION_NOT_OPEN', 404);

    assert.deepEqual((await http.post(`/v1/promises/${ids.get('p1')}/resolve`, '7')).body, { ok: true });
    assert.deepEqual((await http.get(`/v1/results/${seqOf(held[0] as HttpSaid)}`, keeper)).body.data, {
      got: 7,
    });
    isProblem(await http.post(`/v1/promises/${ids.get('p2')}/reject`, '{}'), 'PAYLOAD_INVALID', 400);
    assert.equal((await http.post(`/v1/promises/${ids.get('p2')}/reject`, '"no"')).status, 200);
    assert.match(
      JSON.stringify((await http.get(`/v1/results/${seqOf(held[1] as HttpSaid)}`, keeper)).body),
      /refused.*no/,
    );
    isProblem(await http.post('/v1/promises/1/resolve', '1'), 'PROMISE_UNKNOWN', 404);

    const third = seqOf(held[2] as HttpSaid);
    isProblem(await http.post(`/v1/commands/${third}/cancel`, ''), 'NOT_ALLOWED', 403);
    const cancelled = await http.post(`/v1/commands/${third}/cancel`, '{"children":true}', keeper);
    assert.deepEqual((cancelled.body.data as { command: number }).command, third);
    const ended = await http.get(`/v1/results/${third}`, keeper);
    assert.match(JSON.stringify(ended.body), /CANCELLED/);
    isProblem(await http.post(`/v1/commands/${third}/restart`, '{"from":1}'), 'NOT_ALLOWED', 403);
    // Its handler took the cancel for an answer, and has a result that counts.
    isProblem(await http.post(`/v1/commands/${third}/restart`, '{"from":1}', keeper), 'RESTART_REFUSED', 409);
  });

  test('dead letters are listed, shown and redriven', async () => {
    const failed = await http.post('/v1/calls/clerk/fail/d1', '{"n":1}', keeper);
    assert.equal(failed.body.code, 'HANDLER_THREW', JSON.stringify(failed.body));
    const seq = seqOf(failed);
    const letters = await waitFor('the dead letter', async () => {
      const { body } = await http.get('/v1/dead?module=clerk', reader);
      return (body.letters as readonly unknown[]).length > 0 ? body : undefined;
    });
    assert.deepEqual(letters.letters, await lines('dead', 'list', '--module', 'clerk'));
    const shown = await http.get(`/v1/dead/${seq}`, reader);
    assert.deepEqual(shown.body, await printed('dead', 'show', `${seq}`));
    assert.deepEqual(shown.body.payload, { n: 1 });
    isProblem(await http.get('/v1/dead/99999', reader), 'DEAD_UNKNOWN', 404);
    const redriven = await http.post('/v1/dead/redrive', `{"seqs":[${seq}]}`, keeper);
    const [answer] = redriven.body.answers as readonly { letter: number; command: number }[];
    assert.equal(answer?.letter, seq);
    const sent = seqOf(await http.post('/v1/commands/clerk/fail/d2', '{"n":1}', keeper));
    await http.get(`/v1/results/${sent}`, keeper);
    isProblem(await http.post(`/v1/commands/${sent}/restart`, '{"from":9}', keeper), 'STEP_UNKNOWN', 404);
    const again = await http.post(`/v1/commands/${sent}/restart`, '{"from":1}', keeper);
    assert.equal((again.body.data as { kept: number }).kept, 0, JSON.stringify(again.body));
  });

  test('schedules are listed, shown and ended', async () => {
    const made = await tallystick(
      ['call', 'accounts.deposit', '{"amount":5}', '--agent', 'dora', '--every', '1h'],
      { dataDir },
    );
    assert.equal(made.code, 0, made.stderr);
    const { body } = await http.get('/v1/schedules', reader);
    assert.deepEqual({ schedules: body.schedules }, await printed('schedule', 'list'));
    const [{ id = '' } = {}] = body.schedules as readonly { id?: string }[];
    assert.deepEqual(
      (await http.get(`/v1/schedules/${id}`, reader)).body,
      await printed('schedule', 'show', id),
    );
    assert.equal((await http.post(`/v1/schedules/${id}/cancel`, '', keeper)).status, 200);
    isProblem(await http.get(`/v1/schedules/${id}`, reader), 'SCHEDULE_UNKNOWN', 404);
  });
});
