import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { connect, headers, type NatsConnection } from 'nats';
import type { AuditPage } from '../../schemas/audit-record.js';
import { OPS } from '../../schemas/operate.js';
import type { SchedulePage } from '../../schemas/schedule.js';
import { startBroker, type TestBroker } from '../support/broker.js';
import { inDeep } from '../support/form.js';
import { connectOperator } from '../support/log-checks.js';
import type { ProgramResult } from '../support/run-program.js';
import { type TempDir, tempDir } from '../support/temp-dir.js';
import { waitFor } from '../support/wait-for.js';
import { writePatients } from './patients-module.js';
import { tallystick } from './tallystick.js';

const itInDeep = inDeep(it);

const TIMEOUT = { timeout: 20_000 };
/** Files below a directory that have one of the words in their bytes. */
const filesWith = (dir: string, word: string): readonly string[] =>
  readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) return filesWith(path, word);
    return entry.isFile() && readFileSync(path).includes(word) ? [path] : [];
  });

interface Answer {
  readonly status: string;
  readonly data?: { readonly name?: string; readonly ward?: number; readonly balance?: number };
  readonly error?: { readonly code: string };
}

describe('a module that encrypts', () => {
  let broker: TestBroker;
  let home: TempDir;
  let operator: NatsConnection;
  let guest: NatsConnection;

  const call = async (subject: string, data: unknown, key?: string): Promise<Answer> => {
    const options = key === undefined ? TIMEOUT : { ...TIMEOUT, headers: headers() };
    if (key !== undefined) (options as { headers: ReturnType<typeof headers> }).headers.set('Tally-Key', key);
    const text = typeof data === 'string' ? data : JSON.stringify(data);
    return (await guest.request(subject, text, options)).json<Answer>();
  };
  const run = (...args: readonly string[]): Promise<ProgramResult> =>
    tallystick([...args, '--data', broker.dataDir], { cwd: home.path });
  const start = async (): Promise<void> => {
    broker = await startBroker({
      dataDir: join(home.path, 'data'),
      shipped: [],
      args: [
        ...['--durability', 'os', '--module', writePatients(home.path, 'patients', true)],
        ...['--module', writePatients(home.path, 'open', false)],
      ],
    });
    operator = await connectOperator(broker.dataDir);
    guest = await connect({ servers: broker.url });
  };
  const stop = async (): Promise<void> => {
    await Promise.all([operator?.close(), guest?.close()]);
    await broker?.[Symbol.asyncDispose]();
  };

  before(async () => {
    home = tempDir();
    await start();
  });
  after(async () => {
    await stop();
    await home?.[Symbol.asyncDispose]();
  });

  it('stores no marked word in any file, by whatever way it came, and gives it to callers and handlers', async () => {
    const word = 'Xanthippe';
    const later = headers();
    later.set('Tally-In', '1s');
    const admitted = await call('call.patients.admit.anna', { name: word, ward: 3 });
    assert.deepEqual(admitted.data, { name: word, ward: 3 });
    // The control: without `encrypt`, the search finds the word of the same command.
    await call('call.open.admit.anna', { name: 'Megakles', ward: 3 });
    const keyed = [1, 2].map(() => call('call.patients.admit.anna', { name: word, ward: 4 }, 'k1'));
    for (const each of await Promise.all(keyed)) assert.equal(each.data?.name, word);
    const sent = await guest.request('cmd.patients.admit.anna', JSON.stringify({ name: word }), TIMEOUT);
    assert.ok(sent.json<{ readonly seq?: number }>().seq !== undefined, sent.string());
    const made = await guest.request('schedule.patients.admit.anna', JSON.stringify({ name: word }), {
      ...TIMEOUT,
      headers: later,
    });
    assert.equal(made.json<Answer>().status, 'ok', made.string());
    const misfits: readonly unknown[] = [
      `{"name": "${word}`,
      `${word} ${word}`,
      [word],
      { nmae: { name: word } },
    ];
    for (const misfit of misfits) await call('call.patients.admit.anna', misfit);
    await guest.request('cmd.patients.nothing.anna', JSON.stringify({ note: word }), TIMEOUT);
    assert.equal((await call('call.patients.burst.anna', { name: word })).error?.code, 'HANDLER_THREW');
    const all = [word, word, word, word].join('+');
    await waitFor(
      'all admissions',
      async () => (await call('call.patients.look.anna', {})).data?.name === all,
    );
    const state = await guest.request('state.patients.anna', '', TIMEOUT);
    await waitFor('the state', async () => {
      const now = await guest.request('state.patients.anna', '', TIMEOUT);
      return now.json<{ readonly state: { readonly beds: number } }>().state.beds === 4;
    });
    assert.ok(state.string().includes(word));
    assert.ok((await run('agent', 'get', 'patients', 'anna')).stdout.includes(word));
    // It follows that the files have all of it.
    await waitFor('the files of the log', () =>
      filesWith(broker.dataDir, 'Megakles').some((path) => path.includes('/jetstream/')),
    );
    assert.ok(filesWith(broker.dataDir, 'Megakles').some((path) => path.includes('/snapshots/')));
    assert.deepEqual(filesWith(broker.dataDir, word), []);
    const out = join(home.path, 'out.jsonl');
    const exported = await run('replay', 'export', '--out', out);
    assert.equal(exported.code, 0, exported.stderr);
    assert.ok(readFileSync(out, 'utf8').includes('Megakles') && !readFileSync(out, 'utf8').includes(word));
    assert.ok(![...broker.stderr, ...broker.stdout].some((line) => line.includes(word)));
  });

  it('shows sealed values by that word, and folds past states from them', async () => {
    const history = await run('replay', 'history', '--agent', 'anna', '--module', 'patients', '--reveal');
    assert.equal(history.code, 0, history.stderr);
    assert.match(history.stdout, /"name":"\(sealed\)","ward":3/);
    const first = await run('agent', 'get', 'patients', 'anna', '--at', '1000000');
    assert.ok(first.stdout.includes('Xanthippe'), first.stderr);
    const verified = await run('replay', 'verify');
    assert.equal(verified.code, 0, `${verified.stdout}${verified.stderr}`);
    const dir = join(home.path, 'patients');
    for (const args of [
      ['replay', 'diff', 'patients', '--module', dir],
      ['replay', 'run'],
    ])
      assert.match((await run(...args)).stderr, /SEALED: /, args.join(' '));
    assert.equal((await run('module', 'reload', 'patients')).code, 0);
    assert.equal((await call('call.patients.look.anna', {})).data?.ward, 4);
    assert.deepEqual(filesWith(broker.dataDir, 'Xanthippe'), []);
  });

  it('refuses a sealed value that a caller copied from the log', async () => {
    const sub = guest.subscribe('live.evt.patients.>', { max: 1 });
    const heard = (async () => {
      for await (const msg of sub) return msg.json<{ readonly name: object }>().name;
      return undefined;
    })();
    await guest.flush();
    await call('call.patients.admit.bea', { name: 'Yolanda', ward: 1 });
    const stolen = await heard;
    assert.match(JSON.stringify(stolen), /^\{"tallystick:sealed":"1\./);
    const look = await call('call.patients.look.bea', stolen);
    assert.equal(look.error?.code, 'PAYLOAD_INVALID');
    const echoed = await call('call.patients.admit.bea', { name: stolen, ward: 1 });
    assert.equal(echoed.error?.code, 'PAYLOAD_INVALID');
  });

  it('erases an agent: its values are gone, the log is clean, and other agents stay', async () => {
    await call('call.patients.admit.carl', { name: 'Zenobia', ward: 2 });
    await call('call.patients.admit.dora', { name: 'Walburga', ward: 2 });
    const asked = await run('agent', 'erase', 'patients', 'carl');
    assert.equal(asked.code, 2, asked.stdout);
    const erased = await run('agent', 'erase', 'patients', 'carl', '--yes', '--json');
    assert.equal(erased.code, 0, erased.stderr);
    assert.deepEqual(JSON.parse(erased.stdout), { module: 'patients', agent: 'carl', already: false });
    const body = JSON.stringify({ module: 'patients', agent: 'carl' });
    const again = await operator.request(OPS.agentErase, body, TIMEOUT);
    assert.equal(again.json<{ readonly already: boolean }>().already, true);
    for (const subject of ['call.patients.look.carl', 'call.patients.admit.carl', 'state.patients.carl'])
      assert.equal((await call(subject, {})).error?.code, 'AGENT_ERASED', subject);
    const sent = await guest.request('cmd.patients.admit.carl', '{"name":"Zenobia"}', TIMEOUT);
    assert.equal(sent.json<Answer>().error?.code, 'AGENT_ERASED');
    assert.equal((await call('call.patients.look.dora', {})).data?.name, 'Walburga');
    for (const args of [
      ['agent', 'get', 'patients', 'carl'],
      ['agent', 'get', 'patients', 'carl', '--at', '1000000'],
    ]) {
      const shown = await run(...args);
      assert.equal(shown.code, 1);
      assert.match(shown.stderr, /AGENT_ERASED/);
    }
    {
      const history = await run('replay', 'history', '--agent', 'carl', '--json', '--reveal');
      assert.match(history.stdout, /\(erased\)/);
      assert.ok(!/tallystick:sealed|Zenobia/.test(history.stdout));
      const seq = (JSON.parse(history.stdout.split('\n')[0] ?? '') as { readonly seq: number }).seq;
      const trace = await run('replay', 'trace', `${seq}`);
      assert.match(trace.stdout, /\(erased\)/);
    }
    const verified = await run('replay', 'verify');
    assert.equal(verified.code, 0, `${verified.stdout}${verified.stderr}`);
    const audit = await operator.request(OPS.auditList, JSON.stringify({ kind: 'agent.erase' }), TIMEOUT);
    const acts = audit.json<AuditPage>().records.map(({ target, outcome }) => `${target} ${outcome}`);
    assert.deepEqual(acts.toSorted(), ['patients carl ok', 'patients carl ok']);
    const unsealed = await run('agent', 'erase', 'open', 'anna', '--yes');
    assert.match(unsealed.stderr, /NOT_ENCRYPTED/);
  });

  itInDeep('removes the schedules of an erased agent, and those of others fire on', async () => {
    const every = headers();
    every.set('Tally-Every', '1s');
    for (const agent of ['gerd', 'hanna'])
      assert.equal(
        (
          await guest.request(`schedule.patients.look.${agent}`, '{}', { ...TIMEOUT, headers: every })
        ).json<Answer>().status,
        'ok',
      );
    const fired = async (agent: string): Promise<number> => {
      const { stdout } = await run('replay', 'history', '--agent', agent, '--json');
      return stdout.split('\n').filter((line) => line.includes('"kind":"cmd"')).length;
    };
    await waitFor('both to fire', async () => (await fired('gerd')) > 0 && (await fired('hanna')) > 0);
    assert.equal((await run('agent', 'erase', 'patients', 'gerd', '--yes')).code, 0);
    await waitFor('it to be removed', () =>
      broker.stderr.some((line) => /schedule guest\/\S+ is removed: the agent gerd/.test(line)),
    );
    const [left, others] = [await fired('gerd'), await fired('hanna')];
    const listed = await operator.request(OPS.scheduleList, '{}', TIMEOUT);
    const agents = listed.json<SchedulePage>().schedules.map(({ agent }) => agent);
    assert.deepEqual(agents, ['hanna']);
    await waitFor('the other to fire', async () => (await fired('hanna')) > others);
    assert.equal(await fired('gerd'), left);
    const { schedules } = listed.json<SchedulePage>();
    await operator.request(OPS.scheduleCancel, JSON.stringify({ id: schedules[0]?.id }), TIMEOUT);
  });

  it('stays erased after a restart, also if all snapshots are folded again', async () => {
    assert.equal((await run('replay', 'rebuild', 'patients')).code, 0);
    await stop();
    await start();
    assert.equal((await call('call.patients.look.carl', {})).error?.code, 'AGENT_ERASED');
    assert.equal((await call('call.patients.look.dora', {})).data?.name, 'Walburga');
    assert.equal((await call('call.patients.look.anna', {})).data?.ward, 4);
  });

  itInDeep('answers each call that is under way when its agent is erased', async () => {
    const calls = ['erik', 'frida'].flatMap((agent) =>
      [1, 2, 3].map(async () => ({
        agent,
        ...(await call(`call.patients.wait.${agent}`, { name: 'Quirin' })),
      })),
    );
    await waitFor('the calls in the log', async () => {
      const history = await run('replay', 'history', '--agent', 'erik', '--json');
      return history.stdout.includes('"kind":"cmd"');
    });
    assert.equal((await run('agent', 'erase', 'patients', 'erik', '--yes')).code, 0);
    for (const { agent, status, error } of await Promise.all(calls)) {
      if (agent === 'frida') assert.equal(status, 'ok');
      else if (status !== 'ok') assert.equal(error?.code, 'AGENT_ERASED');
    }
    assert.equal((await run('replay', 'verify')).code, 0);
  });

  it('its keys are readable by their owner only, and lie in no readable form', () => {
    for (const name of [join('keys', 'seals.key'), join('seals', 'patients.json')])
      assert.equal(statSync(join(broker.dataDir, name)).mode & 0o777, 0o600, name);
    assert.ok(!readFileSync(join(broker.dataDir, 'seals', 'patients.json'), 'utf8').includes('nodes'));
    assert.ok(!existsSync(join(broker.dataDir, 'seals', 'open.json')));
  });

  it('cannot be called by other modules where its input is encrypted', async () => {
    const dir = writePatients(home.path, 'clerk', false, { dependencies: { patients: ['admit'] } });
    const loaded = await run('module', 'load', dir);
    assert.match(loaded.stderr, /CALLER_FORBIDDEN: clerk needs patients.admit, whose input is encrypted/);
    const reads = writePatients(home.path, 'reader', false, { dependencies: { patients: ['look'] } });
    assert.equal((await run('module', 'load', reads, '--grant')).code, 0);
  });
});
