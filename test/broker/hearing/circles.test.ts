import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Circles } from '../../../broker/hearing/circles.js';
import { ChainLengths } from '../../../broker/hearing/chain-lengths.js';
import { readLog } from '../../../journal/read/reader.js';
import { HEADER } from '../../../schemas/headers.js';
import { MOST_IN_CHAIN } from '../../../schemas/heard-events.js';
import { OPS } from '../../../schemas/operate.js';
import { startBroker, tallystick, type TestBroker } from '../../support/broker.js';
import { writeListener, writeShop } from '../../support/hearing.js';
import { connectOperator, soundLog } from '../../support/log-checks.js';
import { Seeded } from '../../support/seeded.js';
import { tempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';

const ANY = { input: {}, output: {} };

/** Sends a command to the module that has published the event. */
const BEAT = `{ decide: (_, { data: { agent } }) => ({
  _tag: 'Right', right: { data: {}, commands: [{ module: 'drum', name: 'beat', agent, data: {} }] },
}) }`;
const NOTED = `{ decide: () => ({ _tag: 'Right', right: { data: {}, events: [{ name: 'noted', data: {} }] } }) }`;

describe('modules that hear each other', () => {
  it('are in a circle where one can be reached from the other, by events and by commands', () => {
    const seed = Math.floor(Math.random() * 2 ** 32);
    const random = new Seeded(seed);
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    for (let round = 0; round < 200; round++) {
      const circles = new Circles();
      const edges = new Set<string>();
      for (const name of names) {
        const on: Record<string, { action: string }> = {};
        const dependencies: Record<string, string[]> = {};
        for (const other of names.filter((each) => each !== name)) {
          if (random.int(0, 9) === 0) {
            on[random.pick([`${other}.>`, `${other}.noted`])] = { action: 'note' };
            edges.add(`${other}${name}`);
          }
          if (random.int(0, 9) === 0) {
            dependencies[other] = ['beat'];
            edges.add(`${name}${other}`);
          }
        }
        circles.learn({ name, on, dependencies });
      }
      // All ways through one more module at a time.
      for (const by of names)
        for (const from of names)
          for (const to of names) if (edges.has(from + by) && edges.has(by + to)) edges.add(from + to);
      for (const from of names)
        for (const to of names)
          if (from !== to)
            assert.equal(circles.has(to, from), edges.has(from + to), `seed ${seed}: ${from} ${to}`);
    }
  });

  it('have chains whose length is read from the log where it is not remembered', async () => {
    const headers = new Map<number, Record<string, string>>([
      [1, {}],
      [3, { [HEADER.chain]: '7' }],
      [5, { [HEADER.cause]: '3' }],
      [6, { [HEADER.cause]: '5' }],
      [8, { [HEADER.cause]: '1' }],
    ]);
    let asked = 0;
    const chains = new ChainLengths(async (seq) => {
      asked += 1;
      const found = headers.get(seq);
      return found && { header: (name) => found[name] };
    });
    const event = (cause?: number) => ({
      header: (name: string) => (name === HEADER.cause && cause !== undefined ? `${cause}` : undefined),
    });
    assert.equal(await chains.of(event()), 0);
    assert.equal(await chains.of(event(6)), 7);
    assert.equal(asked, 3);
    assert.equal(await chains.of(event(6)), 7);
    assert.equal(await chains.of(event(5)), 7);
    assert.equal(asked, 3, 'what was read is remembered');
    assert.equal(await chains.of(event(8)), 0);
    assert.equal(await chains.of(event(99)), 0);
    chains.note(20, 11);
    assert.equal(await chains.of(event(20)), 11);
  });

  it(`I12 a circle ends after ${MOST_IN_CHAIN} deliveries with one dead letter, also over a kill of the broker`, async () => {
    await using dir = tempDir();
    const dataDir = join(dir.path, 'data');
    const modules = [
      writeShop(dir.path),
      writeListener(dir.path, 'ping', { 'shop.sold': { action: 'start' }, 'pong.noted': { action: 'note' } }),
      writeListener(dir.path, 'pong', { 'ping.noted': { action: 'note' } }),
      writeListener(dir.path, 'drum', {}, { beat: NOTED }, { actions: { beat: ANY } }),
      writeListener(
        dir.path,
        'echo',
        { 'drum.noted': { action: 'note' } },
        { note: BEAT },
        { dependencies: { drum: ['beat'] } },
      ),
    ];
    const args = ['--no-shipped', '--durability', 'os', ...modules.flatMap((path) => ['--module', path])];
    const start = (): Promise<TestBroker> => startBroker({ dataDir, args });
    let broker = await start();
    const chainsOf = async (): Promise<ReadonlyMap<string, readonly number[]>> => {
      const chains = new Map<string, number[]>([
        ['ping', []],
        ['echo', []],
      ]);
      const nc = await connectOperator(dataDir);
      try {
        for await (const message of readLog(nc, { filters: ['cmd.>'], headersOnly: true })) {
          const [, module = ''] = message.subject.split('.');
          const chain = message.header(HEADER.chain);
          if (chain !== undefined) chains.get(module === 'echo' ? 'echo' : 'ping')?.push(Number(chain));
        }
      } finally {
        await nc.close();
      }
      return chains;
    };
    try {
      const nc = await connectOperator(dataDir);
      for (const subject of ['cmd.shop.sell.ann', 'cmd.drum.beat.bob'])
        await nc.request(subject, '{}', { timeout: 10_000 });
      await nc.close();
      await waitFor('a circle to have begun', async () => ((await chainsOf()).get('ping')?.length ?? 0) > 2);
      await broker.kill();
      await broker[Symbol.asyncDispose]();
      broker = await start();
      const whole = Array.from({ length: MOST_IN_CHAIN + 1 }, (_, i) => i + 1);
      await waitFor('both circles to have ended', async () => {
        for (const [name, chain] of await chainsOf()) assert.deepEqual(chain, whole, name);
        return true;
      });
      const operator = await connectOperator(dataDir);
      const letters = await waitFor('two dead letters', async () => {
        const reply = await operator.request(OPS.deadList, '{}', { timeout: 10_000 });
        const { letters: all } = reply.json<{
          letters: readonly { command: number; module: string; error: { code: string } }[];
        }>();
        return all.length >= 2 && all;
      });
      await operator.close();
      assert.deepEqual(
        letters.map(({ error }) => error.code),
        ['CHAIN_TOO_LONG', 'CHAIN_TOO_LONG'],
      );
      const ofPing = letters.find(({ module }) => module !== 'echo')?.command ?? 0;
      const redriven = await tallystick(['dead', 'redrive', `${ofPing}`], { dataDir });
      assert.equal(redriven.code, 0, redriven.stderr);
      await waitFor('another circle to have ended', async () => {
        assert.deepEqual((await chainsOf()).get('ping'), [...whole, ...whole]);
        return true;
      });
      await soundLog(dataDir);
      const { code, stdout } = await tallystick(['replay', 'verify', '--json'], { dataDir });
      assert.equal(code, 0, stdout);
    } finally {
      await broker[Symbol.asyncDispose]();
    }
  });
});
