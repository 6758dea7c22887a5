import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { NatsConnection } from 'nats';
import { Generations } from '../../../store/snapshots/generations.js';
import { ModuleAgents } from '../../../store/snapshots/index.js';
import {
  agentSteps,
  type AgentStep,
  condition,
  firstWhere,
  parsePath,
  pathChanges,
  rebuildSnapshots,
  stateAt,
  type StepsQuery,
} from '../../../replay/index.js';
import { history, statesOf, tally } from '../../fixtures/tally-history.js';
import { failure, success } from '../../support/either.js';
import { createLog, dial } from '../../support/log.js';
import { Seeded } from '../../support/seeded.js';
import { startServer, type TestServer } from '../../support/server.js';
import { type TempDir, tempDir } from '../../support/temp-dir.js';
import { record, type Recorded } from '../past-log.js';

const SEED = Math.floor(Math.random() * 2 ** 32);
/** Many of the records are its own, so that they are read through; those of others are asked for. */
const BUSY = 'busy';

interface Tally {
  readonly sum: number;
  readonly last: readonly string[];
}

describe('the steps of an agent', () => {
  let server: TestServer;
  let nc: NatsConnection;
  let home: TempDir;
  let agents: ModuleAgents;
  let recorded: readonly Recorded[];
  let states: ReturnType<typeof statesOf>;
  let snapshotsTo: number;

  const query = (agent: string, more: Partial<StepsQuery> = {}): StepsQuery => ({
    ...{ nc, agents, module: tally, agent },
    ...more,
  });
  const steps = async (agent: string, more: Partial<StepsQuery> = {}): Promise<readonly AgentStep[]> => {
    const all: AgentStep[] = [];
    for await (const step of agentSteps(query(agent, more))) all.push(step);
    return all;
  };
  const happenedTo = (agent: string): readonly Recorded[] =>
    recorded.filter((each) => each.agent === agent && each.events.length > 0);

  before(async () => {
    server = await startServer({ name: 'steps' });
    nc = await dial(server);
    home = tempDir();
    await createLog(nc);
    const busy = Array.from({ length: 3_000 }, (_, i) => ({
      agent: BUSY,
      events: [{ name: 'added', data: { amount: (i % 7) - 3, note: 'n' } }],
    }));
    const random = new Seeded(SEED);
    const mixed = [...busy, ...history(SEED, 1_500, 40)]
      .map((each) => ({ each, place: random.next() }))
      .sort((a, b) => a.place - b.place)
      .map(({ each }) => each);
    const early = await record(nc, mixed.slice(0, 4_000), SEED);
    const rebuilt = success(await rebuildSnapshots({ nc, dataDir: home.path, modules: [tally] })());
    snapshotsTo = rebuilt.lastSeq;
    const generations = new Generations(join(home.path, 'snapshots', 'tally'));
    generations.publish(generations.adopt(rebuilt.modules[0]?.path ?? ''));
    // What the snapshots lack.
    recorded = [...early, ...(await record(nc, mixed.slice(4_000), SEED))];
    states = statesOf(recorded);
    agents = new ModuleAgents('tally', home.path);
  });
  after(async () => {
    await agents?.close();
    await nc?.close();
    await server?.[Symbol.asyncDispose]();
    await home?.[Symbol.asyncDispose]();
  });

  test('are all records that changed it, in order, each with the state before and after', async (t) => {
    t.diagnostic(`seed ${SEED}`);
    for (const agent of [BUSY, 'agent-2', 'agent-30', '']) {
      const found = await steps(agent);
      const expected = happenedTo(agent);
      assert.deepEqual(
        found.map(({ seq, events }) => ({ seq, events })),
        expected.map(({ seq, events }) => ({ seq, events })),
      );
      let before: unknown = tally.initial;
      for (const step of found) {
        assert.deepEqual(step.before, before);
        assert.equal(JSON.stringify(step.state), states.get(agent)?.get(step.seq));
        assert.deepEqual(step.event, step.events.at(-1));
        assert.match(step.time, /^\d{4}-.*Z$/);
        before = step.state;
      }
      assert.ok(agent !== BUSY || (found.at(-1)?.seq ?? 0) > snapshotsTo);
    }
    assert.deepEqual(await steps('nobody'), []);
  });

  test('a part of them begins with the state that there was', async () => {
    const all = await steps(BUSY);
    const [first, last] = [all[1_000], all[2_500]];
    assert.ok(first !== undefined && last !== undefined);
    const part = await steps(BUSY, { from: first.seq, to: last.seq });
    assert.equal(part.length, 1_501);
    assert.deepEqual(part[0]?.before, first.before);
    assert.deepEqual(part.at(-1)?.state, last.state);
    const timed = await steps(BUSY, { from: new Date(first.time), to: new Date(last.time) });
    assert.ok(timed.length >= part.length - 1 && timed.every(({ time }) => time >= first.time));
    assert.deepEqual(await steps(BUSY, { from: new Date(Date.now() + 60_000) }), []);
  });

  test('snapshots of another version are passed over, and nothing is missed', async () => {
    const other = { ...tally, manifest: { ...tally.manifest, version: '2.0.0' } };
    const found = await steps('agent-2', { module: other });
    assert.deepEqual(
      found.map(({ seq }) => seq),
      happenedTo('agent-2').map(({ seq }) => seq),
    );
  });

  test('a condition is found to hold first where it does, also where it ceases to and holds again', async () => {
    const all = await steps(BUSY);
    const sums = all.map(({ state }) => (state as Tally).sum);
    const [most, least] = [Math.max(...sums), Math.min(...sums)];
    const fell = ({ before, state, event }: AgentStep): boolean =>
      (before as Tally).sum > (state as Tally).sum && (event.data as { amount: number }).amount === -2;
    const cases: readonly (readonly [string, (step: AgentStep, i: number) => boolean])[] = [
      [`state.sum == ${most}`, (_, i) => sums[i] === most],
      [`state.sum <= ${least} || seq > ${all[2_900]?.seq}`, (_, i) => sums[i] === least || i > 2_900],
      ['before.sum > state.sum && event.data.amount == -2', fell],
    ];
    for (const [text, holds] of cases) {
      const outcome = await firstWhere({ ...query(BUSY), holds: success(condition(text)) })();
      const { found, checked } = success(outcome);
      const expected = all.findIndex(holds);
      assert.deepEqual([found?.seq, checked], [all[expected]?.seq, expected + 1], text);
      const at = success(await stateAt({ ...query(BUSY), at: found?.seq ?? 0 })());
      assert.deepEqual(at?.state, found?.state);
    }
    const never = success(
      await firstWhere({ ...query(BUSY), holds: success(condition(`state.sum > ${most}`)) })(),
    );
    assert.deepEqual(never, { found: undefined, checked: all.length });
    const wrong = await firstWhere({ ...query(BUSY), holds: success(condition('state.sum')) })();
    assert.match(
      failure(wrong).message,
      new RegExp(`^at ${all[0]?.seq}, column 6: this must be true or false`),
    );
  });

  test('each change of a part is found, and the first time that it became a value', async () => {
    const path = success(parsePath('last[0]'));
    const expected = (await steps('agent-2')).filter(
      ({ before, state }) => (before as Tally).last[0] !== (state as Tally).last[0],
    );
    const found = [];
    for await (const change of pathChanges({ ...query('agent-2'), path })) found.push(change);
    assert.deepEqual(
      found.map(({ seq, from, to }) => ({ seq, from, to })),
      expected.map(({ seq, before, state }) => ({
        ...{ seq, from: (before as Tally).last[0], to: (state as Tally).last[0] },
      })),
    );
    const [, , third] = expected;
    assert.ok(third !== undefined);
    const value = (third.state as Tally).last[0] ?? '';
    const became = [];
    for await (const change of pathChanges({ ...query('agent-2'), path, equals: { value } }))
      became.push(change);
    const first = expected.find(({ state }) => (state as Tally).last[0] === value);
    assert.deepEqual(
      became.map(({ seq, to }) => ({ seq, to })),
      [{ seq: first?.seq, to: value }],
    );
  });

  test('progress is told up to the end', async () => {
    const told: (readonly number[])[] = [];
    const all = await steps(BUSY, { to: snapshotsTo, onProgress: (...at) => told.push(at) });
    assert.ok(told.length > 0 && told.every(([, from, to]) => from === 1 && to === snapshotsTo));
    assert.ok((told.at(-1)?.[0] ?? 0) >= (all.at(-1)?.seq ?? 0));
  });
});
