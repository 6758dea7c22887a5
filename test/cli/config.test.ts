import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { connect, type NatsConnection } from 'nats';
import { authenticatorOf, newUserKey } from '../../link/nkey.js';
import { ACCESS } from '../../schemas/access-requests.js';
import type { AuditPage } from '../../schemas/audit-record.js';
import type { ConfigChange, ConfigList } from '../../schemas/config-requests.js';
import { OPS } from '../../schemas/operate.js';
import type { Result } from '../../schemas/result.js';
import feed from '../fixtures/modules/feed/index.js';
import mailer from '../fixtures/modules/mailer/index.js';
import { FAIL_VARIABLE } from '../../system/processes/fail-point.js';
import { startBroker, type TestBroker } from '../support/broker.js';
import { brokerStatus } from '../support/broker-status.js';
import { connectOperator } from '../support/log-checks.js';
import { writeManifest, writeModule } from '../support/module-dir.js';
import { PROJECT_ROOT } from '../support/project-root.js';
import { IN_FULL, inDeep } from '../support/form.js';
import { onTerminal } from '../support/pseudo-terminal.js';
import { tallystickPath } from '../support/program-paths.js';
import { type TempDir, tempDir } from '../support/temp-dir.js';
import { waitFor } from '../support/wait-for.js';
import { CLEAN_ENV, tallystick } from './tallystick.js';

const itInDeep = inDeep(it);

const SECRET = 'correct-horse-battery';
const OTHER = 'staple "with\\ odd" signs';

const digest = (text: string): string => createHash('sha256').update(text).digest('hex');

const CONFIGURED = { mailer, feed } as const;

describe('the configuration of modules', () => {
  let home: TempDir;
  let data: string;
  let broker: TestBroker;
  let operator: NatsConnection;

  const start = async (): Promise<void> => {
    const modules = Object.keys(CONFIGURED).flatMap((name) => ['--module', join(home.path, name)]);
    broker = await startBroker({
      dataDir: data,
      shipped: [],
      args: ['--durability', 'os', ...modules],
      env: { [FAIL_VARIABLE]: join(home.path, 'fail') },
    });
    operator = await connectOperator(data);
  };
  const stop = async (): Promise<void> => {
    await operator?.close();
    await broker?.[Symbol.asyncDispose]();
  };

  before(async () => {
    home = tempDir();
    data = join(home.path, 'data');
    mkdirSync(join(home.path, 'fail'));
    for (const [name, { manifest }] of Object.entries(CONFIGURED))
      await writeModule(join(home.path, name), name, manifest);
    await start();
  });
  after(async () => {
    await stop();
    await home?.[Symbol.asyncDispose]();
  });

  const run = (args: readonly string[], input?: string) =>
    tallystick([...args, '--data', data], { cwd: home.path, ...(input === undefined ? {} : { input }) });
  const cli = async (args: readonly string[], input?: string): Promise<string> => {
    const { code, stdout, stderr } = await run(args, input);
    assert.equal(code, 0, stderr);
    return stdout;
  };
  const ask = async <T>(nc: NatsConnection, subject: string, body: object = {}): Promise<T> =>
    (await nc.request(subject, JSON.stringify(body), { timeout: 60_000 })).json<T>();
  const call = async <T>(address: string, input: object = {}): Promise<T> => {
    const result = await ask<Result>(operator, `call.${address}`, input);
    assert.equal(result.status, 'ok', JSON.stringify(result));
    return (result as { readonly data: T }).data;
  };
  const refusal = async (subject: string, body: object): Promise<string | undefined> =>
    (await ask<{ readonly error?: { readonly code: string } }>(operator, subject, body)).error?.code;
  const set = (key: string, value: unknown, module = 'mailer'): Promise<ConfigChange> =>
    ask<ConfigChange>(operator, OPS.configSet, { module, key, value });

  it('a module without a required key does not start, and says which command to type', async () => {
    const { modules } = await brokerStatus(data);
    const found = modules.find(({ name }) => name === 'mailer');
    assert.equal(found?.state, 'crashed');
    assert.match(
      found?.reason ?? '',
      /^CONFIG_MISSING: mailer needs host, apiKey, .*`tallystick config set mailer host`/,
    );
    assert.equal(await refusal(OPS.moduleLoad, { dir: join(home.path, 'mailer') }), 'CONFIG_MISSING');
  });

  it('starts it when its last key is set; a secret comes by standard input', async () => {
    const first = await cli(['config', 'set', 'mailer', 'host', 'a.example']);
    assert.match(first, /mailer\.host is set; the module does not run with it yet: mailer needs apiKey/);
    assert.match(
      await cli(['config', 'set', 'mailer', 'apiKey'], `${SECRET}\n`),
      /mailer\.apiKey is set; the module started with it/,
    );
    assert.deepEqual(await call('mailer.sees.x'), { host: 'a.example', retries: 3, key: digest(SECRET) });
  });

  it('takes a secret from a file and from a terminal that does not show it, never from an argument', async () => {
    const typed = await run(['config', 'set', 'mailer', 'apiKey', OTHER]);
    assert.equal(typed.code, 2);
    assert.match(typed.stderr, /USAGE: mailer\.apiKey is a secret, so nothing was done/);
    writeFileSync(join(home.path, 'key.txt'), `${OTHER}\n`);
    const json = await cli(['config', 'set', 'mailer', 'apiKey', '--from-file', 'key.txt', '--json']);
    assert.deepEqual(
      { ...JSON.parse(json), version: 0 },
      {
        module: 'mailer',
        key: 'apiKey',
        version: 0,
        changed: true,
        effect: 'restarted',
        problem: null,
      },
    );
    assert.equal((await call<{ key: string }>('mailer.sees.x')).key, digest(OTHER));
    const command = [process.execPath, tallystickPath(), 'config', 'set', 'mailer', 'apiKey', '--data', data];
    const terminal = onTerminal(command, { cwd: home.path, env: CLEAN_ENV });
    await terminal.shows('mailer.apiKey (not shown): ');
    terminal.type(`${SECRET}x\u007f\r`);
    await terminal.shows('restarted with it');
    assert.equal((await terminal.exited).code, 0);
    assert.ok(!terminal.screen().includes(SECRET.slice(0, 6)), terminal.screen());
    assert.equal((await call<{ key: string }>('mailer.sees.x')).key, digest(SECRET));
  });

  it('checks a value against its schema, and shows no part of a secret in the error', async () => {
    const wrong = await run(['config', 'set', 'mailer', 'retries', '12']);
    assert.equal(wrong.code, 1);
    assert.match(wrong.stderr, /CONFIG_INVALID: mailer\.retries .*Its schema is \{.*"maximum":9/);
    const secret = JSON.stringify(await set('apiKey', 'short!'));
    assert.match(secret, /CONFIG_INVALID.*mailer\.apiKey does not fit its schema \(the value is hidden\)/);
    assert.ok(!secret.includes('short!'));
    const key = { module: 'mailer', key: 'hots' };
    assert.equal(await refusal(OPS.configSet, { ...key, value: 'x' }), 'CONFIG_KEY_UNKNOWN');
    assert.equal(await refusal(OPS.configUnset, key), 'CONFIG_KEY_UNKNOWN');
    assert.equal(await refusal(OPS.configSet, { ...key, module: 'nobody', value: 'x' }), 'MODULE_UNKNOWN');
    for (const odd of [{}, { module: 7 }, { ...key }, { ...key, value: 1, more: 1 }])
      assert.equal(await refusal(OPS.configSet, odd), 'PAYLOAD_INVALID');
  });

  it('lists and gets values, hides secrets, and reveals one to an admin with a record', async () => {
    const list = await cli(['config', 'list', 'mailer']);
    assert.match(list, /mailer +host +a\.example +operator, 20/);
    assert.match(list, /mailer +apiKey +\(sensitive\)/);
    assert.match(list, /mailer +retries +3 +default/);
    assert.ok(!JSON.stringify(await ask(operator, OPS.configList)).includes(SECRET));
    assert.equal(await cli(['config', 'get', 'mailer', 'apiKey', '--reveal']), `${SECRET}\n`);
    const { records } = await ask<AuditPage>(operator, OPS.auditList, { kind: 'config' });
    assert.deepEqual(
      records
        .map(({ kind, target, principal, outcome }) => `${principal} ${kind} ${target} ${outcome}`)
        .slice(0, 3),
      [
        'operator config.set mailer.host ok',
        'operator config.set mailer.apiKey ok',
        'operator config.set mailer.apiKey ok',
      ],
    );
    assert.equal(records.at(-1)?.kind, 'config.reveal');
    assert.ok(!JSON.stringify(records).includes(SECRET));
  });

  itInDeep(
    '`replay run` gives its sandbox the configuration of now, with a text in the place of the secret',
    async () => {
      const { stdout, stderr } = await run(['replay', 'run', '--from', '1', '--json']);
      assert.match(stdout, /a\.example/, stderr);
      assert.ok(!stdout.includes(SECRET));
      assert.match(stdout, new RegExp(digest('(sensitive)')), stderr);
    },
  );

  it('a reader lists without secrets, and neither a reader nor a guest sets or reveals', async () => {
    const { publicKey, seed } = newUserKey();
    await ask(operator, ACCESS.create, { name: 'ann', publicKey, allow: ['operate reader'], ttlMs: null });
    const reader = await connect({
      servers: broker.url,
      authenticator: authenticatorOf(seed),
      reconnect: false,
    });
    const guest = await connect({ servers: broker.url, reconnect: false });
    try {
      const listed = await ask<ConfigList>(reader, OPS.configList);
      assert.deepEqual(listed.modules.map(({ module }) => module).sort(), ['feed', 'mailer']);
      assert.ok(!JSON.stringify(listed).includes(SECRET));
      const request = { module: 'mailer', key: 'apiKey', value: 'stolen-stolen' };
      for (const nc of [reader, guest])
        for (const subject of [OPS.configSet, OPS.configUnset, OPS.configReveal])
          await assert.rejects(ask(nc, subject, request));
      await assert.rejects(ask(guest, OPS.configList));
    } finally {
      await reader.close();
      await guest.close();
    }
    assert.equal((await call<{ key: string }>('mailer.sees.x')).key, digest(SECRET));
  });

  it('no secret is in an argument, an environment, a log, a record or an error', async () => {
    const own = await ask<Result>(operator, 'call.mailer.leak', {});
    assert.equal(own.status, 'failed');
    assert.ok(JSON.stringify(own).includes('(sensitive)'), JSON.stringify(own));
    assert.equal((await ask<Result>(operator, 'call.mailer.die', {})).status, 'failed');
    const { modules } = await brokerStatus(data);
    const pids = [broker.pid, ...modules.flatMap(({ pid }) => pid ?? [])];
    const found = [
      ...pids.flatMap((pid) => [`/proc/${pid}/cmdline`, `/proc/${pid}/environ`]),
      ...readdirSync(data, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map(({ parentPath, path, name }) => join(parentPath ?? path, name)),
    ].filter((path) => {
      const text = readFileSync(path);
      return text.includes(SECRET) || text.includes(OTHER);
    });
    assert.deepEqual(found, []);
    const shown = [
      broker.stderr.join('\n'),
      await cli(['replay', 'history', '--json']),
      ...(await Promise.all(
        [OPS.moduleInfo, OPS.deadList, OPS.auditList, OPS.status].map(async (subject) =>
          JSON.stringify(await ask(operator, subject, subject === OPS.moduleInfo ? { name: 'mailer' } : {})),
        ),
      )),
    ];
    for (const text of shown) assert.ok(!text.includes(SECRET), text);
    assert.match(broker.stderr.join('\n'), /the key is \(sensitive\)/);
  });

  it('only the owner reads the files, and a module reads neither the file nor the key', async () => {
    for (const path of [join(data, 'config.json'), join(data, 'keys', 'config.key')])
      assert.equal(statSync(path).mode & 0o777, 0o600, path);
    const feedPid = (await brokerStatus(data)).modules.find(({ name }) => name === 'feed')?.pid;
    const paths = [
      join(data, 'config.json'),
      join(data, 'keys', 'config.key'),
      `/proc/${feedPid}/environ`,
      `/proc/${broker.pid}/environ`,
      `/proc/${feedPid}/fd/4`,
    ];
    const { cage } = await brokerStatus(data);
    if (!cage.layers.some(({ layer, holds }) => layer === 'files' && holds)) return;
    const tried = await call<readonly string[]>('mailer.pry', { paths });
    assert.deepEqual(
      tried.map((text) => text.slice(0, 8)),
      paths.map(() => 'refused:'),
    );
  });

  itInDeep(
    'calls in flight end with the configuration that they began with, and none is lost by a restart',
    async () => {
      await set('host', 'old.example');
      const under = Array.from({ length: 20 }, (_, i) =>
        call<{ began: string; ended: string }>(`mailer.send.a${i}`, { takesMs: 300 }),
      );
      const changing = set('host', 'new.example');
      const later = Array.from({ length: 20 }, (_, i) => call<{ host: string }>(`mailer.sees.b${i}`));
      assert.equal((await changing).effect, 'restarted');
      for (const { began, ended } of await Promise.all(under)) assert.equal(began, ended);
      for (const { host } of await Promise.all(later)) assert.match(host, /^(old|new)\.example$/);
      assert.equal((await call<{ host: string }>('mailer.sees.x')).host, 'new.example');
      const info = (await brokerStatus(data)).modules.find(({ name }) => name === 'mailer');
      assert.equal(info?.state, 'loaded');
    },
  );

  it('the running process takes a change with `onConfig`; one that it refuses restarts it', async () => {
    const before = await call<{ pid: number }>('feed.sees.x');
    const under = Array.from({ length: 20 }, (_, i) =>
      call<{ began: string; ended: string }>(`feed.wait.a${i}`, { takesMs: 300 }),
    );
    assert.equal((await set('url', 'http://b.example', 'feed')).effect, 'told');
    assert.deepEqual(await call('feed.sees.x'), { url: 'http://b.example', pid: before.pid, taken: 1 });
    for (const { began, ended } of await Promise.all(under)) assert.equal(began, ended);
    assert.equal((await set('url', 'http://refused.example', 'feed')).effect, 'restarted');
    const next = await call<{ pid: number; url: string }>('feed.sees.x');
    assert.notEqual(next.pid, before.pid);
    assert.equal(next.url, 'http://refused.example');
  });

  it('sets at once all hold, and the module runs with the last', async () => {
    const changes = await Promise.all([
      ...Array.from({ length: 10 }, (_, i) => set('retries', i % 10)),
      ...Array.from({ length: 5 }, (_, i) => set('host', `h${i}.example`)),
    ]);
    for (const change of changes) assert.equal(change.problem, null, JSON.stringify(change));
    const versions = changes.map(({ version }) => version);
    assert.equal(new Set(versions).size, versions.length);
    assert.deepEqual(await call('mailer.sees.x'), { host: 'h4.example', retries: 9, key: digest(SECRET) });
  });

  it('a broker that is killed within a set has the old value or the new one, and its modules run with it', async () => {
    const kills = [
      ['config.writing', 'h4.example'],
      ['config.written', 'config.written'],
    ] as const;
    // Each costs a start of the broker.
    for (const [point, expected] of kills.slice(IN_FULL ? 0 : 1)) {
      writeFileSync(join(home.path, 'fail', 'broker'), `${point}@1:kill\n`);
      process.kill(broker.pid, 'SIGUSR2');
      await waitFor(
        'the plan to be taken',
        () => readFileSync(join(home.path, 'fail', 'broker'), 'utf8') === '',
      );
      set('host', point).catch(() => undefined);
      await broker.exited;
      await stop();
      await start();
      assert.deepEqual(await call('mailer.sees.x'), { host: expected, retries: 9, key: digest(SECRET) });
    }
  });

  it('status says so when a key is taken away without which the next process does not start', async () => {
    const info = async () => (await brokerStatus(data)).modules.find(({ name }) => name === 'mailer');
    const { host } = await call<{ host: string }>('mailer.sees.x');
    assert.match(await cli(['config', 'unset', 'mailer', 'host']), /does not run with it yet/);
    const { state, reason } = (await info()) ?? {};
    assert.equal(state, 'loaded');
    assert.match(
      reason ?? '',
      /^its next process will not start: CONFIG_MISSING: mailer needs host.*`tallystick config set mailer host`/,
    );
    assert.match(await cli(['status']), /mailer: its next process will not start: CONFIG_MISSING/);
    // The process that runs continues with what it has.
    assert.equal((await call<{ host: string }>('mailer.sees.x')).host, host);
    await set('host', host);
    assert.equal((await info())?.reason, null);
  });

  it('outlives an unload and a reload; a removal forgets it, and says so before', async () => {
    await ask(operator, OPS.moduleReload, { name: 'mailer' });
    await ask(operator, OPS.moduleUnload, { name: 'mailer' });
    assert.equal((await set('retries', 1)).effect, 'stored');
    await ask(operator, OPS.moduleLoad, { dir: join(home.path, 'mailer') });
    assert.equal((await call<{ retries: number }>('mailer.sees.x')).retries, 1);
    const removal = { name: 'mailer', unload: true };
    const { note } = await ask<{ note: string }>(operator, OPS.moduleRemove, { ...removal, dryRun: true });
    assert.match(note, /its configuration is removed with it: .*apiKey/);
    await ask(operator, OPS.moduleRemove, removal);
    assert.ok(!readFileSync(join(data, 'config.json'), 'utf8').includes('mailer'));
    assert.equal(await refusal(OPS.moduleLoad, { dir: join(home.path, 'mailer') }), 'CONFIG_MISSING');
  });

  it('a version that needs a new key leaves the running one alone until the key is set', async () => {
    const { properties } = feed.manifest.config as { readonly properties: object };
    const config = {
      type: 'object',
      required: ['url', 'region'],
      properties: { ...properties, region: { type: 'string' } },
    };
    await writeModule(join(home.path, 'feed'), 'feed', { ...feed.manifest, config });
    const reload = { name: 'feed', untried: true };
    assert.equal(await refusal(OPS.moduleReload, reload), 'CONFIG_MISSING');
    await call('feed.sees.x');
    assert.equal((await set('region', 'north', 'feed')).problem, null);
    assert.equal(await refusal(OPS.moduleReload, reload), undefined);
    const { modules } = await ask<ConfigList>(operator, OPS.configList, { module: 'feed' });
    assert.equal(modules[0]?.keys.find(({ key }) => key === 'region')?.value, 'north');
  });

  it('a program that a command starts reads its configuration from the descriptor, and hears of changes', async () => {
    const dir = join(home.path, 'feed');
    const { start: _, ...manifest } = JSON.parse(readFileSync(join(dir, 'manifest.json'), 'utf8'));
    const entry = join(PROJECT_ROOT, 'dist', 'test', 'fixtures', 'modules', 'feed', 'index.js');
    const host = join(PROJECT_ROOT, 'dist', 'modules', 'host', 'host-main.js');
    await writeManifest(dir, { ...manifest, start: { command: [process.execPath, host, dir, entry] } });
    assert.equal(await refusal(OPS.moduleReload, { name: 'feed' }), undefined);
    const before = await call<{ pid: number; url: string }>('feed.sees.x');
    assert.equal(before.url, 'http://refused.example');
    assert.equal((await set('url', 'http://c.example', 'feed')).effect, 'told');
    assert.deepEqual(await call('feed.sees.x'), { url: 'http://c.example', pid: before.pid, taken: 1 });
  });

  it('`replay diff` uses the configuration of now, or that of a file', async () => {
    const diff = ['replay', 'diff', '--module', join(home.path, 'mailer'), '--agent', 'x', '--limit', '1'];
    writeFileSync(join(home.path, 'then.json'), JSON.stringify({ host: 'then.example', apiKey: SECRET }));
    const { stdout } = await run([...diff, '--config', 'then.json', '--json']);
    const { commands, differences } = JSON.parse(stdout) as {
      commands: number;
      differences: readonly unknown[];
    };
    assert.ok(commands > 0);
    assert.match(JSON.stringify(differences), /then\.example/);
  });
});
