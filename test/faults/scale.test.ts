import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { connect, type NatsConnection } from 'nats';
import { type Conversations, openConversations } from '../../store/log-index/index.js';
import { ModuleAgents } from '../../store/snapshots/index.js';
import type { Result } from '../../schemas/result.js';
import { plain } from '../fixtures/modules/plain/manifest.js';
import { startBroker, type TestBroker } from '../support/broker.js';
import { success } from '../support/either.js';
import { soundLog } from '../support/log-checks.js';
import { writeModule, writeShippedModule } from '../support/module-dir.js';
import { moduleCommand } from '../support/modules.js';
import { type TempDir, tempDir } from '../support/temp-dir.js';
import { waitFor } from '../support/wait-for.js';
import { AGENTS, CONVERSATIONS } from './scale-options.js';
import { SETTLE_MS } from './system-state.js';
import { brokerStatus } from '../support/broker-status.js';

/** Requests on their way at a time. */
const AT_ONCE = 500;
const TIMEOUT_MS = 120_000;
const agentName = (i: number): string => `agent-${i % AGENTS}`;

/** Does something for each number below a limit, some at a time. */
const forEach = async (count: number, work: (i: number) => Promise<void>): Promise<void> => {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, count) }, lane));
};

const sorted = (times: number[]): readonly number[] => times.sort((a, b) => a - b);
const at = (times: readonly number[], share: number): string =>
  (times[Math.floor(times.length * share)] ?? Number.NaN).toFixed(1);

describe(`a broker with ${AGENTS} agents and ${CONVERSATIONS} open conversations`, () => {
  let home: TempDir;
  let dataDir: string;
  /** A module that cannot start: commands to it wait. */
  let late: string;
  let broker: TestBroker;
  let nc: NatsConnection;
  let agents: ModuleAgents;
  let conversations: Conversations;
  const opened: number[] = [];

  const start = async (t: TestContext, what: string): Promise<void> => {
    const begun = performance.now();
    const args = [
      '--no-shipped',
      '--durability',
      'os',
      '--module',
      join(home.path, 'agents'),
      '--module',
      late,
    ];
    broker = await startBroker({ dataDir, args });
    t.diagnostic(`${what}: ready after ${Math.round(performance.now() - begun)} ms`);
    nc = await connect({ servers: broker.url });
  };
  const request = async <T>(subject: string, data: object): Promise<T> => {
    const reply = await nc.request(subject, JSON.stringify(data), { timeout: TIMEOUT_MS });
    return reply.json<T>();
  };
  const call = async (address: string): Promise<unknown> => {
    const result = await request<Result>(`call.${address}`, {});
    assert.equal(result.status, 'ok', JSON.stringify(result));
    return (result as { data: unknown }).data;
  };
  /** What is looked up is what was opened, one by one and in pages, and what the broker counts. */
  const allAreOpen = (): void => {
    assert.equal(conversations.count(), CONVERSATIONS);
    for (const [i, seq] of opened.entries()) {
      assert.deepEqual(conversations.get(seq)?.participants, ['guest', `late/${agentName(i)}`]);
    }
    const listed: number[] = [];
    for (let after: number | null = 0; after !== null; ) {
      const page = conversations.list({ after, limit: 1_000 });
      listed.push(...page.conversations.map(({ conversation }) => conversation));
      after = page.next;
    }
    assert.deepEqual(
      listed,
      [...opened].sort((a, b) => a - b),
    );
  };

  before(async () => {
    home = tempDir();
    dataDir = join(home.path, 'data');
    late = await writeModule(join(home.path, 'late'), 'plain', { ...plain('late'), limits: { crashes: 1 } });
    writeFileSync(join(late, 'broken'), '');
    await writeShippedModule(join(home.path, 'agents'), 'agents', {});
    agents = new ModuleAgents('agents', dataDir);
    conversations = openConversations(dataDir);
  });
  after(async () => {
    await agents?.close();
    await conversations?.close();
    await nc?.close();
    await broker?.[Symbol.asyncDispose]();
    await home?.[Symbol.asyncDispose]();
  });

  test('agents are spawned, and found in the snapshots', async (t) => {
    await start(t, 'empty');
    const begun = performance.now();
    await forEach(AGENTS, async (i) => void (await call(`agents.spawn.${agentName(i)}`)));
    t.diagnostic(`${Math.round((AGENTS / (performance.now() - begun)) * 1_000)} agents spawned a second`);
    await waitFor('all of them in the snapshots', () => agents.count() === AGENTS, TIMEOUT_MS);
  });

  test('conversations are opened, and looked up from another process', async (t) => {
    const begun = performance.now();
    await forEach(CONVERSATIONS, async (i) => {
      const { seq } = await request<{ seq: number }>(`cmd.late.echo.${agentName(i)}`, { i });
      opened[i] = seq;
    });
    const sentMs = performance.now() - begun;
    success(await conversations.atLeast(Math.max(...opened), { timeoutMs: TIMEOUT_MS })());
    const behindMs = performance.now() - begun - sentMs;
    t.diagnostic(
      `${Math.round((CONVERSATIONS / sentMs) * 1_000)} opened a second; all to be seen ${Math.round(behindMs)} ms after the last`,
    );
    // Those of the spawning have ended but for what is on its way: the register of the agents.
    await waitFor('only these to be open', () => conversations.count() === CONVERSATIONS, TIMEOUT_MS);
    allAreOpen();
    assert.equal((await brokerStatus(dataDir)).conversationsOpen, CONVERSATIONS);
    const times = sorted(
      opened.map((seq) => {
        const from = performance.now();
        conversations.get(seq);
        return (performance.now() - from) * 1_000;
      }),
    );
    t.diagnostic(`get: p50 ${at(times, 0.5)} us, p99 ${at(times, 0.99)} us`);
  });

  test('I1 I6 killed with -9 and started again, it has them all, and every agent answers', async (t) => {
    await nc.close();
    await broker.kill('SIGKILL');
    allAreOpen();
    assert.equal(agents.count(), AGENTS);
    await start(t, `${AGENTS} agents and ${CONVERSATIONS} open conversations`);
    allAreOpen();
    const { conversationsOpen, modules } = await brokerStatus(dataDir);
    assert.equal(conversationsOpen, CONVERSATIONS);
    assert.equal(modules.find(({ name }) => name === 'agents')?.state, 'loaded');
    await forEach(AGENTS, async (i) => {
      const info = (await call(`agents.info.${agentName(i)}`)) as { status: string };
      assert.equal(info.status, 'active');
    });
  });

  test('I3 they end once their module handles them, each with one result', async (t) => {
    rmSync(join(late, 'broken'));
    const begun = performance.now();
    const { code, stderr } = await moduleCommand(broker, 'load', late);
    assert.equal(code, 0, stderr);
    await waitFor('all to end', () => conversations.count() === 0, SETTLE_MS);
    t.diagnostic(`all ended after ${Math.round(performance.now() - begun)} ms`);
    assert.equal((await brokerStatus(dataDir)).conversationsOpen, 0);
    await soundLog(dataDir);
  });
});
