import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { connect, type NatsConnection } from 'nats';
import { ModuleAgents } from '../../store/snapshots/index.js';
import { startBroker, type TestBroker } from '../support/broker.js';
import { inDeep } from '../support/form.js';
import { type ProgramResult, runProgram } from '../support/run-program.js';
import { type TempDir, tempDir } from '../support/temp-dir.js';
import { waitFor } from '../support/wait-for.js';
import { tallystick } from './tallystick.js';

const itInDeep = inDeep(it);

const TAMPERING = join(import.meta.dirname, '..', 'fixtures', 'tampering.js');
const AGENTS = 40;
const IN_FLIGHT = 20;

interface Side {
  readonly seq: number;
  readonly schema: number;
  readonly json: string;
}

interface Checked {
  readonly same: boolean;
  readonly modules: readonly { readonly module: string; readonly agents: number }[];
  readonly difference: {
    readonly agent: string;
    readonly log: Side | null;
    readonly snapshot: Side | null;
  } | null;
}

/** Deposits to many accounts, some at a time, until it is stopped. */
const startLoad = (
  nc: NatsConnection,
): { readonly done: () => number; readonly stop: () => Promise<void> } => {
  let [sent, done, going] = [0, 0, true];
  const one = async (): Promise<void> => {
    while (going) {
      const agent = `load-${sent++ % AGENTS}`;
      const reply = await nc.request(`call.accounts.deposit.${agent}`, '{"amount":1}', { timeout: 60_000 });
      const { status, error } = reply.json<{ status: string; error?: { code: string } }>();
      if (status === 'ok') done += 1;
      // While it is reloaded, which is the swap.
      else assert.equal(error?.code, 'MODULE_UNAVAILABLE', reply.string());
    }
  };
  const all = Promise.all(Array.from({ length: IN_FLIGHT }, one));
  // Who stops the load gets the rejection. It may come before that.
  all.catch(() => undefined);
  return {
    done: () => done,
    stop: async () => {
      going = false;
      await all;
    },
  };
};

describe('tallystick replay rebuild', () => {
  let home: TempDir;
  let broker: TestBroker;
  const dataDir = (): string => join(home.path, 'data');
  const snapshots = (): string => join(dataDir(), 'snapshots', 'accounts');
  const current = (): string => readFileSync(join(snapshots(), 'current'), 'utf8').trim();
  const generations = (): readonly string[] => readdirSync(snapshots()).filter((name) => /^(g|r)/.test(name));

  const start = async (): Promise<void> => {
    broker = await startBroker({ dataDir: dataDir(), shipped: ['accounts'], args: ['--durability', 'os'] });
  };
  const rebuild = (...args: readonly string[]): Promise<ProgramResult> =>
    tallystick(['replay', 'rebuild', ...args, '--data', dataDir()], { cwd: home.path, timeoutMs: 90_000 });
  const check = async (): Promise<{
    readonly code: number | null;
    readonly json: Checked;
    stderr: string;
  }> => {
    const { code, stdout, stderr } = await rebuild('--check', 'accounts', '--json');
    assert.notEqual(stdout, '', stderr);
    return { code, json: JSON.parse(stdout) as Checked, stderr };
  };
  const checkIsClean = async (): Promise<void> => {
    const { code, json, stderr } = await check();
    assert.deepEqual([code, json.same, json.difference, stderr], [0, true, null, '']);
    assert.equal(json.modules[0]?.agents, AGENTS);
  };

  before(async () => {
    home = tempDir();
    await start();
  });
  after(async () => {
    await broker?.[Symbol.asyncDispose]();
    await home?.[Symbol.asyncDispose]();
  });

  itInDeep(
    'I6 folds again under load while readers have the old, swaps, and finds all the same',
    async () => {
      const nc = await connect({ servers: broker.url });
      const load = startLoad(nc);
      await waitFor('each account to have something', () => load.done() > 5 * AGENTS, 60_000);
      const before = current();
      const agents = new ModuleAgents('accounts', dataDir());
      let [reading, reads] = [true, 0];
      const reader = (async () => {
        const last = new Map<string, number>();
        while (reading) {
          const agent = `load-${reads++ % AGENTS}`;
          const { seq = 0, state } = agents.get(agent) ?? {};
          assert.ok(seq >= (last.get(agent) ?? 1), `${agent} went back to ${seq}`);
          assert.ok((state as { balance: number }).balance > 0);
          last.set(agent, seq);
          if (reads % 100 === 0) await new Promise((resume) => setTimeout(resume, 1));
        }
      })();
      try {
        await checkIsClean();
        const { code, stdout, stderr } = await rebuild('accounts', '--json');
        assert.deepEqual([code, stderr], [0, '']);
        const { modules } = JSON.parse(stdout) as { modules: readonly Record<string, unknown>[] };
        const [module] = modules;
        assert.deepEqual([module?.module, module?.agents, module?.swapped], ['accounts', AGENTS, true]);
        assert.notEqual(current(), before);
        assert.deepEqual(generations(), [current()], 'the old one is gone');
        await checkIsClean();
      } finally {
        reading = false;
        await load.stop();
        await reader;
      }
      const balanceOf = (agent: string): number =>
        (agents.get(agent)?.state as { balance: number } | undefined)?.balance ?? 0;
      await waitFor('every deposit to be in the snapshots', () => {
        const sum = Array.from({ length: AGENTS }, (_, i) => balanceOf(`load-${i}`)).reduce((a, b) => a + b);
        assert.equal(sum, load.done());
        return true;
      });
      await agents.close();
      await nc.close();
    },
  );

  it('I6 after kill -9 of the broker under load, the snapshots are what the log gives', async () => {
    const nc = await connect({ servers: broker.url, maxReconnectAttempts: 0 });
    const load = startLoad(nc);
    await waitFor('some more deposits', () => load.done() > AGENTS);
    await broker.kill();
    await nc.close();
    // Whoever waited for an answer has none.
    await assert.rejects(load.stop());
    await start();
    await checkIsClean();
  });

  const tamper = async (agent: string, ...put: readonly string[]): Promise<void> => {
    const args = [TAMPERING, join(snapshots(), current()), agent, ...put];
    const { code, stderr } = await runProgram(process.execPath, args);
    assert.equal(code, 0, stderr);
  };

  it('--check exits 1 with the first agent whose state is not what the log gives, and a rebuild mends it', async () => {
    const agents = new ModuleAgents('accounts', dataDir());
    const before = agents.stored('load-7');
    assert.ok(before !== undefined);
    await agents.close();
    const wrong = before.json.replace(/"balance":\d+/, '"balance":1000000');
    const { seq, schema } = before;
    const put = (agent: string, at: number, json: string): Promise<void> =>
      tamper(agent, `${at}`, `${schema}`, json);

    await put('load-7', seq, wrong);
    const state = await check();
    assert.deepEqual([state.code, state.json.same], [1, false]);
    assert.deepEqual(state.json.difference, {
      module: 'accounts',
      agent: 'load-7',
      log: before,
      snapshot: { seq, schema, json: wrong },
    });
    assert.equal((JSON.parse(state.stderr) as { error: { code: string } }).error.code, 'STATE_DIFFERS');
    const { code, stderr } = await rebuild('--check', 'accounts');
    assert.equal(code, 1);
    assert.match(
      stderr,
      new RegExp(
        `^tallystick: STATE_DIFFERS: load-7 of accounts: the log gives at ${seq}, .*; the snapshot has at`,
      ),
    );

    await put('load-7', seq, before.json);
    await put('load-8', seq - 1, before.json);
    assert.equal((await check()).json.difference?.agent, 'load-8');
    await tamper('load-5');
    const missing = (await check()).json.difference;
    assert.deepEqual([missing?.agent, missing?.snapshot], ['load-5', null]);

    assert.equal((await rebuild('accounts')).code, 0);
    await checkIsClean();
    await put('nobody', seq, before.json);
    const made = (await check()).json.difference;
    assert.deepEqual([made?.agent, made?.log], ['nobody', null]);
    await tamper('nobody');
  });

  it('a module that is not loaded reads what was rebuilt when it is', async () => {
    const run = (...args: readonly string[]): Promise<ProgramResult> =>
      tallystick([...args, '--data', dataDir(), '--json'], { cwd: home.path, timeoutMs: 90_000 });
    assert.equal((await run('module', 'unload', 'accounts', '--with-dependents')).code, 0);
    const before = current();
    const { stdout, stderr } = await rebuild('accounts', '--json');
    assert.equal(stderr, '');
    assert.equal((JSON.parse(stdout) as { modules: { swapped: boolean }[] }).modules[0]?.swapped, false);
    assert.equal(current(), before, 'readers have what they had');
    assert.equal((await run('module', 'reload', 'accounts')).code, 0);
    assert.notEqual(current(), before);
    await checkIsClean();
  });

  it('without a broker it says so, and a module that nobody knows is told', async () => {
    const unknown = await rebuild('nobody', '--json');
    assert.deepEqual([unknown.code, unknown.stdout], [1, '']);
    assert.match(unknown.stderr, /MODULE_UNKNOWN/);
    await broker.stop();
    const { code, stderr } = await rebuild();
    assert.equal(code, 3);
    assert.match(stderr, /BROKER_UNREACHABLE: no broker runs in/);
    assert.ok(existsSync(snapshots()));
  });
});
