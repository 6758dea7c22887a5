import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { isLeft } from 'fp-ts/lib/Either.js';
import { connect, headers, type NatsConnection } from 'nats';
import type { AuditPage } from '../../schemas/audit-record.js';
import type { DeadPage } from '../../schemas/dead.js';
import { compile } from '../../schemas/validate.js';
import { OPS } from '../../schemas/operate.js';
import { startBroker, type TestBroker } from '../support/broker.js';
import { connectOperator } from '../support/log-checks.js';
import type { ProgramResult } from '../support/run-program.js';
import { writeSourceModule } from '../support/source-module.js';
import { type TempDir, tempDir } from '../support/temp-dir.js';
import { waitFor } from '../support/wait-for.js';
import { markedSample, SECRET } from '../schemas/sensitive-schema.js';
import { tallystick } from './tallystick.js';
import { PATIENT } from '../support/patient.js';

const SEED = 20;
/** With a sensitive value in it, and one that its own schema takes: `oneOf` refuses what fits twice. */
const SAMPLES = fc
  .sample(markedSample, { numRuns: 400, seed: SEED })
  .filter(({ value }) => JSON.stringify(value).includes(SECRET) && typeof value === 'object')
  .filter(({ schema, value }) => !isLeft(compile(schema, 'PAYLOAD_INVALID', 'value')(value)))
  .slice(0, 12);

const anything = {};
const actions = Object.fromEntries(
  SAMPLES.map(({ schema }, i) => [`put${i}`, { input: schema, output: schema }]),
);
const events = Object.fromEntries(SAMPLES.map(({ schema }, i) => [`kept${i}`, { data: schema }]));

const manifestOf = (isMarked: boolean) => ({
  name: 'vault',
  version: isMarked ? '1.0.0' : '1.1.0',
  description: 'Keeps what it is given.',
  actions: isMarked
    ? { ...actions, fail: { input: { properties: { pin: { sensitive: true } } }, output: anything } }
    : Object.fromEntries([...Object.keys(actions), 'fail'].map((name) => [name, { input: {}, output: {} }])),
  events: isMarked ? events : Object.fromEntries(Object.keys(events).map((name) => [name, { data: {} }])),
  ...(isMarked ? { sensitive: ['kept.*.value', 'last'] } : {}),
  start: { entry: './index.js' },
});

const codeOf = (manifest: object): string => `
const manifest = ${JSON.stringify(manifest)};
const put = (i) => ({
  decide: (_, { data }) => ({ _tag: 'Right', right: { data, events: [{ name: 'kept' + i, data }] } }),
});
const keep = (i) => (state, value) => ({ kept: { ...state.kept, ['k' + i]: { value } }, last: value });
export default {
  manifest,
  initial: { kept: {}, last: null },
  actions: {
    ...Object.fromEntries(${JSON.stringify(SAMPLES.map((_, i) => i))}.map((i) => ['put' + i, put(i)])),
    fail: { decide: () => { throw new Error('it does not fit'); } },
  },
  evolve: Object.fromEntries(${JSON.stringify(SAMPLES.map((_, i) => i))}.map((i) => ['kept' + i, keep(i)])),
};
`;

describe('sensitive data', () => {
  let broker: TestBroker;
  let home: TempDir;
  let operator: NatsConnection;
  let guest: NatsConnection;
  let dir: string;
  let schedule: string;

  const write = (isMarked: boolean): void => {
    const manifest = manifestOf(isMarked);
    writeSourceModule(dir, manifest, { 'index.js': codeOf(manifest) });
  };

  before(async () => {
    home = tempDir();
    dir = join(home.path, 'vault');
    write(true);
    broker = await startBroker({ shipped: [], args: ['--durability', 'os', '--module', dir] });
    operator = await connectOperator(broker.dataDir);
    guest = await connect({ servers: broker.url });
    assert.ok(SAMPLES.length >= 10);
    for (const [i, { value }] of SAMPLES.entries()) {
      const reply = await guest.request(`call.vault.put${i}.alice`, JSON.stringify(value), PATIENT);
      assert.equal(reply.json<{ status: string }>().status, 'ok', reply.string());
    }
    await guest.request('call.vault.fail.alice', JSON.stringify({ pin: SECRET }), { timeout: 20_000 });
    const later = headers();
    later.set('Tally-In', '1h');
    const made = await guest.request('schedule.vault.fail.alice', JSON.stringify({ pin: SECRET }), {
      headers: later,
      timeout: 20_000,
    });
    schedule = made.json<{ readonly data: { readonly id: string } }>().data.id;
  });

  after(async () => {
    await Promise.all([operator?.close(), guest?.close()]);
    await broker?.[Symbol.asyncDispose]();
    await home?.[Symbol.asyncDispose]();
  });

  const run = (...args: readonly string[]): Promise<ProgramResult> =>
    tallystick([...args, '--data', broker.dataDir], { cwd: home.path });

  /** Nothing of it shows without --reveal. */
  const hides = async (...args: readonly string[]): Promise<void> => {
    const { code, stdout, stderr } = await run(...args);
    const what = args.join(' ');
    assert.equal(code, 0, `${what}: ${stderr}`);
    assert.ok(!`${stdout}${stderr}`.includes(SECRET), what);
    assert.match(stdout, /\(sensitive\)/, what);
  };
  /** And with it, it shows. */
  const reveals = async (...args: readonly string[]): Promise<void> => {
    await hides(...args);
    const { stdout, stderr } = await run(...args, '--reveal');
    assert.ok(stdout.includes(SECRET), `${args.join(' ')}: ${stderr}`);
  };

  it('no command shows a marked value of generated schemas without --reveal', async () => {
    await reveals('replay', 'history');
    const command = (await run('replay', 'history', '--kind', 'cmd', '--limit', '1', '--json')).stdout;
    const { seq } = JSON.parse(command) as { readonly seq: number };
    await reveals('replay', 'trace', `${seq}`);
    await hides('replay', 'trace', `${seq}`, '--html');
    await hides('replay', 'trace', `${seq}`, '--json');
    const diagram = await run('replay', 'trace', `${seq}`, '--mermaid');
    assert.ok(!diagram.stdout.includes(SECRET));
    await waitFor(
      'the snapshot',
      async () => (await run('agent', 'get', 'vault', 'alice')).code === 0 || undefined,
    );
    await reveals('agent', 'get', 'vault', 'alice');
    await hides('agent', 'get', 'vault', 'alice', '--at', '1000000', '--json');
    const asGuest = await tallystick(['agent', 'get', 'vault', 'alice', '--server', broker.url]);
    assert.match(asGuest.stdout, /\(sensitive\)/);
    assert.ok(!asGuest.stdout.includes(SECRET));
    await hides('replay', 'state', 'vault', 'alice', '--step');
    await hides('replay', 'state', 'vault', 'alice', '--watch', 'last', '--json');
    await hides('replay', 'state', 'vault', 'alice', '--bisect', 'state.last != null');
  });

  it('a dead letter shows no marked value', async () => {
    const [letter] = await waitFor('the dead letter', async () => {
      const { letters } = (await operator.request(OPS.deadList, '{}', PATIENT)).json<DeadPage>();
      return letters.length > 0 ? letters : undefined;
    });
    await reveals('dead', 'show', `${letter?.command}`);
    await hides('schedule', 'show', schedule);
    const listed = await run('dead', 'list', '--json');
    assert.ok(!listed.stdout.includes(SECRET));
  });

  it('each --reveal is a record of the audit, with the command', async () => {
    const asked = JSON.stringify({ kind: 'data.reveal' });
    const { records } = (await operator.request(OPS.auditList, asked, PATIENT)).json<AuditPage>();
    const targets = records.map(({ target }) => target);
    for (const target of ['replay history', 'states of vault', /^replay trace \d+$/, /^dead show \d+$/])
      assert.ok(
        targets.some((each) => (typeof target === 'string' ? each === target : target.test(each ?? ''))),
      );
    assert.ok(records.every(({ principal }) => principal === 'operator'));
  });

  it('--reveal of states shows nothing where no broker records it', async () => {
    const none = await tallystick(['agent', 'get', 'vault', 'alice', '--reveal', '--data', home.path]);
    assert.equal(none.code, 3);
    assert.equal(none.stdout, '');
    assert.match(none.stderr, /BROKER_UNREACHABLE: .*A broker records --reveal in its audit, so it must run/);
  });

  it('an export keeps the data whole, and so does the log', async () => {
    const exported = await run('replay', 'export', '--out', 'all.ndjson');
    assert.equal(exported.code, 0, exported.stderr);
    assert.ok(readFileSync(join(home.path, 'all.ndjson'), 'utf8').includes(SECRET));
    const verified = await run('replay', 'verify');
    assert.equal(verified.code, 0, verified.stdout);
  });

  it('what a version marked stays hidden when a later version marks nothing', async () => {
    write(false);
    const reloaded = await operator.request(OPS.moduleReload, '{"name":"vault"}', { timeout: 60_000 });
    assert.equal(reloaded.json<{ version?: string }>().version, '1.1.0', reloaded.string());
    const history = await run('replay', 'history', '--json');
    assert.ok(!history.stdout.includes(SECRET));
    const state = await run('agent', 'get', 'vault', 'alice');
    assert.ok(!state.stdout.includes(SECRET));
    const kept = JSON.parse(readFileSync(join(broker.dataDir, 'sensitive.json'), 'utf8')) as {
      modules: object;
    };
    assert.deepEqual(Object.keys(kept.modules), ['vault']);
  });

  it('I7 only those who may operate are told what is sensitive', async () => {
    await assert.rejects(guest.request(OPS.sensitive, '{"reveal":true}', { timeout: 1_000 }));
  });
});
