import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { connect, type NatsConnection } from 'nats';
import { authenticatorOf, newUserKey } from '../../link/nkey.js';
import { ACCESS, type TokenChange } from '../../schemas/access-requests.js';
import type { AuditLine, AuditPage, AuditRequest } from '../../schemas/audit-record.js';
import { type BrokerStatus, OPS } from '../../schemas/operate.js';
import { startBroker, type TestBroker } from '../support/broker.js';
import { collectLines } from '../support/lines.js';
import { connectOperator } from '../support/log-checks.js';
import { PROJECT_ROOT } from '../support/project-root.js';
import { tallystickPath } from '../support/program-paths.js';
import { type TempDir, tempDir } from '../support/temp-dir.js';
import { waitFor } from '../support/wait-for.js';
import { CLEAN_ENV, tallystick } from './tallystick.js';
import { PATIENT } from '../support/patient.js';

type Json = Readonly<Record<string, unknown>>;

describe('audit', () => {
  let broker: TestBroker;
  let home: TempDir;
  let data: string;
  let operator: NatsConnection;

  const start = async (): Promise<void> => {
    broker = await startBroker({ dataDir: data, shipped: ['accounts'], args: ['--durability', 'os'] });
    operator = await connectOperator(broker.dataDir);
  };

  before(async () => {
    home = tempDir();
    data = join(home.path, 'data');
    await start();
  });

  after(async () => {
    await operator?.close();
    await broker?.[Symbol.asyncDispose]();
    await home?.[Symbol.asyncDispose]();
  });

  const ask = async <T = Json>(nc: NatsConnection, subject: string, body: object = {}): Promise<T> =>
    (await nc.request(subject, JSON.stringify(body), { timeout: 60_000 })).json<T>();
  const audit = async (request: AuditRequest = {}): Promise<readonly AuditLine[]> =>
    (await ask<AuditPage>(operator, OPS.auditList, request)).records;
  const last = async (kind: string): Promise<AuditLine | undefined> => (await audit({ kind })).at(-1);
  const cli = async (...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await tallystick([...args, '--data', data], { cwd: home.path });
    assert.equal(code, 0, stderr);
    return stdout;
  };
  const create = async (name: string, allow: readonly string[]): Promise<NatsConnection> => {
    const { publicKey, seed } = newUserKey();
    await ask(operator, ACCESS.create, { name, publicKey, allow, ttlMs: null });
    return connect({ servers: broker.url, authenticator: authenticatorOf(seed), reconnect: false });
  };

  it('every act of an operator is a record with who, what and how it ended', async () => {
    const admin = await create('ci', ['operate admin']);
    await ask(operator, ACCESS.change, { name: 'ci', add: ['send accounts.*'] });
    await ask(operator, OPS.moduleReload, { name: 'accounts' });
    await ask(admin, OPS.moduleUnload, { name: 'accounts' });
    await ask(admin, OPS.moduleLoad, { dir: join(PROJECT_ROOT, 'dist', 'modules', 'accounts') });
    await ask(admin, OPS.moduleLoad, { dir: join(home.path, 'none') });
    await ask(admin, OPS.moduleRemove, { name: 'accounts', dryRun: true });
    await ask(operator, OPS.scheduleCancel, { id: 'none' });
    await ask(operator, OPS.deadRedrive, { seqs: [1] });
    await ask(operator, ACCESS.rotate, { name: 'ci', publicKey: newUserKey().publicKey });
    await ask(operator, ACCESS.revoke, { name: 'ci' });
    await admin.close();
    const acts = (await audit()).filter(({ principal }) => principal !== 'broker');
    assert.deepEqual(
      acts.map(
        ({ kind, principal, outcome, target }) =>
          `${principal} ${kind} ${target?.split('/').at(-1)} ${outcome}`,
      ),
      [
        'operator token.create ci ok',
        'operator token.change ci ok',
        'operator module.reload accounts ok',
        '_ci module.unload accounts ok',
        '_ci module.load accounts ok',
        '_ci module.load none MANIFEST_INVALID',
        'operator schedule.cancel none SCHEDULE_UNKNOWN',
        'operator dead.redrive 1 dead letters ok',
        'operator token.rotate ci ok',
        'operator token.revoke ci ok',
      ],
    );
    assert.match(acts.find(({ kind }) => kind === 'dead.redrive')?.detail ?? '', /^1: DEAD_UNKNOWN$/);
  });

  it('the record of a grant points to the command in the log that has all of it', async () => {
    const created = await last('token.create');
    const asked = JSON.stringify({ seq: created?.log });
    const command = await operator.request('$JS.API.DIRECT.GET.LOG', asked, PATIENT);
    assert.equal(command.headers?.get('Nats-Subject'), 'cmd._access.grant.ci.operator');
    assert.match(command.string(), /operate admin/);
    assert.ok(!JSON.stringify(created).includes('operate admin'));
  });

  it('the start of a broker is a record with its settings', async () => {
    const started = await last('broker.start');
    assert.equal(started?.settings?.durability, 'os');
    assert.equal(started?.target, data);
    assert.match(started?.detail ?? '', /by user .*pid \d+/);
  });

  it('a refusal by the server, by the broker, and a bad credential are records with the account', async () => {
    const shop = await create('shop', ['call accounts.deposit.shop-*']);
    const judged = await shop.request('call.accounts.deposit.ship-1', '{"amount":1}', PATIENT);
    assert.match(judged.string(), /NOT_ALLOWED/);
    await shop.close();
    const guest = await connect({ servers: broker.url });
    guest.publish('evt.accounts.deposited.mallory', '{}');
    await guest.flush();
    await guest.close();
    await assert.rejects(connect({ servers: broker.url, authenticator: authenticatorOf(newUserKey().seed) }));
    const kinds = await waitFor('three refusals', async () => {
      const lines = await audit({ kind: 'refused' });
      const of = (principal: string, target: string): AuditLine | undefined =>
        lines.find((line) => line.principal === principal && line.target === target);
      const found = [
        of('_shop', 'call.accounts.deposit.ship-1'),
        of('guest', 'evt.accounts.deposited.mallory'),
        of('unknown', 'a connection'),
      ].map((line) => line?.kind);
      return found.includes(undefined) ? undefined : found;
    });
    assert.deepEqual(kinds, ['refused.NOT_ALLOWED', 'refused.NOT_ALLOWED', 'refused.SERVER_REFUSED']);
    const status = await ask<BrokerStatus>(operator, OPS.status);
    assert.ok((status.audit?.refused.NOT_ALLOWED ?? 0) >= 2);
    assert.equal(status.audit?.refused.SERVER_REFUSED, 1);
    assert.match(await cli('status'), /audit +\d+ records.*refused: .*NOT_ALLOWED/);
  });

  it('a flood of refusals makes few records, and their counts name all of them', async () => {
    const guest = await connect({ servers: broker.url });
    // With more, the connection is cut off.
    const sent = 1_500;
    for (let i = 0; i < sent; i++) guest.publish('res.accounts.deposit.flood', '{}');
    await guest.flush();
    await guest.close();
    const records = await waitFor('the whole flood', async () => {
      const lines = (await audit({ principal: 'guest' })).filter(({ target }) => target?.endsWith('.flood'));
      const count = lines.reduce((sum, { count: each = 1 }) => sum + each, 0);
      return count >= sent ? lines.length : undefined;
    });
    assert.ok(records <= 10, `${records} records`);
  });

  it('filters select, pages meet, --follow prints what comes, and --limit keeps the newest', async () => {
    const all = await audit();
    assert.deepEqual(
      await audit({ principal: 'shop' }),
      all.filter(({ principal }) => principal === '_shop'),
    );
    assert.deepEqual(
      await audit({ kind: 'token' }),
      all.filter(({ kind }) => kind.startsWith('token.')),
    );
    assert.deepEqual(await audit({ since: new Date(Date.now() + 60_000).toISOString() }), []);
    const forward: AuditLine[] = [];
    for (let place = 0; forward.length < all.length; ) {
      const page = await ask<AuditPage>(operator, OPS.auditList, { after: place, limit: 3 });
      forward.push(...page.records);
      place = page.next ?? place;
    }
    assert.deepEqual(forward, all);
    const args = ['audit', 'list', '--json', '--kind', 'module', '--limit', '2', '--follow', '--data', data];
    const follower = spawn(process.execPath, [tallystickPath(), ...args], {
      env: { ...process.env, ...CLEAN_ENV },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      const lines = collectLines(follower.stdout);
      await waitFor('the newest', () => lines.length === 2 || undefined);
      const newest = all.filter(({ kind }) => kind.startsWith('module.')).slice(-2);
      assert.deepEqual(
        lines.map((line) => JSON.parse(line) as AuditLine),
        newest,
      );
      await ask(operator, OPS.moduleReload, { name: 'accounts' });
      const next = await waitFor('the next record', () => lines[2]);
      assert.equal((JSON.parse(next) as AuditLine).kind, 'module.reload');
    } finally {
      follower.kill();
    }
  });

  it('odd requests for a page are refused', async () => {
    for (const body of [
      { limit: 0 },
      { limit: 1e9 },
      { after: -1 },
      { since: 'x' },
      { other: 1 },
      { kind: 7 },
    ]) {
      const answer = await ask<{ readonly error?: { readonly code: string } }>(operator, OPS.auditList, body);
      assert.equal(answer.error?.code, 'PAYLOAD_INVALID', JSON.stringify(body));
    }
  });

  it('I7 a reader may read the audit, and only the broker writes it', async () => {
    const reader = await create('ann', ['operate reader']);
    const read = await ask<AuditPage>(reader, OPS.auditList, { kind: 'token' });
    assert.equal(read.records.at(-1)?.target, 'ann');
    const caller = await create('nil', ['call accounts.*']);
    await assert.rejects(caller.request(OPS.auditList, '{}', { timeout: 1_000 }));
    const before = await audit({ kind: 'module' });
    for (const subject of ['audit.operator.module.load', '$JS.API.STREAM.PURGE.AUDIT'])
      await assert.rejects(operator.request(subject, '{}', { timeout: 1_000 }), subject);
    assert.deepEqual(await audit({ kind: 'module' }), before);
    await reader.close();
    await caller.close();
  });

  it('an act that was answered is in the audit after kill -9 of the broker', async () => {
    const acts: Promise<unknown>[] = [];
    const answered: string[] = [];
    for (let i = 0; i < 200; i++) {
      const name = `kill-${i}`;
      const body = JSON.stringify({
        name,
        publicKey: newUserKey().publicKey,
        allow: ['call accounts.*'],
        ttlMs: null,
      });
      acts.push(
        operator.request(ACCESS.create, body, { timeout: 60_000 }).then((reply) => {
          if (reply.json<Partial<TokenChange>>().principal !== undefined) answered.push(name);
        }),
      );
    }
    await waitFor('some answers', () => answered.length >= 5 || undefined);
    await broker.kill('SIGKILL');
    const known = [...answered];
    await operator.close();
    await Promise.allSettled(acts);
    await broker[Symbol.asyncDispose]();
    await start();
    const recorded = new Set((await audit({ kind: 'token.create' })).map(({ target }) => target));
    assert.deepEqual(
      known.filter((name) => !recorded.has(name)),
      [],
    );
    await operator.close();
    await broker.stop();
    await start();
    assert.equal((await last('broker.stop'))?.principal, 'broker');
  });
});
