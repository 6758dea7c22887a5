import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Either } from 'fp-ts/lib/Either.js';
import { StateThread } from '../../../broker/states/state-thread.js';
import type { Fault } from '../../../schemas/errors.js';
import { ModuleAgents } from '../../../store/snapshots/index.js';
import { failure, success } from '../../support/either.js';
import { history } from '../../fixtures/tally-history.js';
import { startFolding } from '../../support/folding.js';
import { type TempDir, tempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';

const [SEED, COUNT, AGENTS] = [7, 4_000, 20];

describe('the thread that reads states', () => {
  let home: TempDir;
  const said: string[] = [];
  const readers: StateThread[] = [];
  const open = (dataDir: string, maxBytes = 1_000_000): StateThread => {
    const reader = new StateThread({ dataDir, maxBytes, say: (text) => said.push(text) });
    readers.push(reader);
    return reader;
  };
  const read = (
    reader: StateThread,
    agent: string,
    atLeast = 0,
    module = 'tally',
  ): Promise<Either<Fault, Uint8Array>> => reader.read({ module, agent, atLeast });
  const jsonOf = (body: Either<Fault, Uint8Array>): unknown =>
    JSON.parse(Buffer.from(success(body)).toString());

  before(() => {
    home = tempDir();
  });
  after(async () => {
    for (const reader of readers) await reader.close();
    await home[Symbol.asyncDispose]();
  });

  it('many requests that wait for a sequence get it when the module has written it', async () => {
    const reader = open(home.path);
    assert.equal(failure(await read(reader, 'agent-1')).code, 'SNAPSHOTS_UNAVAILABLE');
    const folding = startFolding({
      dataDir: home.path,
      seed: SEED,
      count: COUNT,
      agents: AGENTS,
      rate: 8_000,
    });
    await waitFor('the writer', () => folding.at('at') !== undefined, 30_000);
    const last = history(SEED, COUNT, AGENTS).at(-1)?.seq ?? 0;
    const written = async (agent: string): Promise<void> => {
      for (;;) {
        const found = await read(reader, agent, last);
        if (found._tag === 'Right') return;
        if (found.left.code === 'AGENT_UNKNOWN') return;
        assert.equal(found.left.code, 'SNAPSHOTS_BEHIND', 'a slow machine needs longer than one wait');
      }
    };
    await Promise.all(Array.from({ length: 200 }, (_, i) => written(`agent-${i % AGENTS}`)));
    await folding.exited;
    const agents = new ModuleAgents('tally', home.path);
    const { seq = 0 } = agents.position ?? {};
    const names = agents.list({ limit: AGENTS }).agents.map(({ agent }) => agent);
    const all = await Promise.all(names.flatMap((agent) => [read(reader, agent, seq), read(reader, agent)]));
    for (const [i, body] of all.entries()) {
      const agent = names[Math.floor(i / 2)] ?? '';
      const { seq: at, time, schema, state } = agents.get(agent) ?? {};
      assert.deepEqual(jsonOf(body), { module: 'tally', agent, seq: at, time, schema, state });
    }
    assert.ok(names.length > 5);
    await agents.close();
  });

  it('a state above the limit of a message is refused, and the thread reads on', async () => {
    const agents = new ModuleAgents('tally', home.path);
    const [{ agent = '' } = {}] = agents.list({ limit: 1 }).agents;
    await agents.close();
    const reader = open(home.path, 64);
    assert.equal(failure(await read(reader, agent)).code, 'ANSWER_TOO_LARGE');
    assert.equal(failure(await read(reader, 'nobody')).code, 'AGENT_UNKNOWN');
  });

  it('a sequence that does not come is SNAPSHOTS_BEHIND, for as many as wait', async () => {
    const reader = open(home.path);
    const late = await Promise.all(Array.from({ length: 500 }, (_, i) => read(reader, 'x', 1e12 + i)));
    for (const each of late) assert.equal(failure(each).code, 'SNAPSHOTS_BEHIND');
  });

  it('odd names of modules read nothing', async () => {
    const reader = open(home.path);
    for (const module of ['../../etc', '', 'nobody'])
      assert.equal(failure(await read(reader, 'x', 0, module)).code, 'SNAPSHOTS_UNAVAILABLE', module);
  });

  it('a damaged state is a typed error, and never taken for a state', async () => {
    const reader = open(home.path);
    success(await read(reader, 'agent-0'));
    const path = join(home.path, 'snapshots', 'tally', 'g1', 'data.mdb');
    const file = readFileSync(path);
    for (let at = file.indexOf('"sum"'); at >= 0; at = file.indexOf('"sum"', at)) file[at + 1] = 0x53;
    writeFileSync(path, file);
    assert.equal(failure(await read(reader, 'agent-0')).code, 'SNAPSHOT_DAMAGED');
    const later = open(home.path);
    assert.equal(
      failure(await read(later, 'agent-0')).code,
      'SNAPSHOTS_UNAVAILABLE',
      'who opens it finds that too',
    );
  });

  it('after its end it refuses', async () => {
    const reader = open(home.path);
    await reader.close();
    assert.equal(failure(await read(reader, 'x')).code, 'MODULE_UNAVAILABLE');
    assert.deepEqual(said, []);
  });
});
