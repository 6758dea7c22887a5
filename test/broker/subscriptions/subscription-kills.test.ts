import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { connect } from 'nats';
import { startBroker, type TestBroker } from '../../support/broker.js';
import { brokerStatus } from '../../support/broker-status.js';
import { type Exit, follow } from '../../support/children.js';
import { byForm } from '../../support/form.js';
import { eventsOf, readHeard, writeShop } from '../../support/hearing.js';
import { PROJECT_ROOT } from '../../support/project-root.js';
import { Seeded } from '../../support/seeded.js';
import { subscriber } from '../../support/subscribing.js';
import { tempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';

const EVENTS = byForm({ short: 500, deep: 50_000 });
const KILLS = byForm({ short: 4, deep: 40 });
const PER_COMMAND = 10;
const AGENTS = 20;
const SEED = Number(process.env.TEST_SEED ?? Date.now() % 1_000_000);
const PROGRAM = join(PROJECT_ROOT, 'dist', 'test', 'support', 'subscribing-main.js');
const VICTIMS = ['program', 'broker', 'program', 'server'] as const;

/** A program that subscribes and notes what it handles; it is started again when it was killed. */
class Program implements AsyncDisposable {
  #kill: () => Promise<Exit> = () => Promise.resolve({ code: 0, signal: null });
  stderr = '';

  constructor(
    private readonly url: string,
    private readonly file: string,
  ) {
    this.start();
  }

  start(): void {
    const child = spawn(process.execPath, [PROGRAM, this.url, this.file, 'books'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    const exited = follow(child);
    this.#kill = () => {
      child.kill('SIGKILL');
      return exited;
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#kill();
  }

  async killed(): Promise<void> {
    await this.#kill();
    this.start();
  }
}

/** What was handled, in its order, over all lives of the program. */
const handledIn = (file: string): readonly { readonly seq: number; readonly agent: string }[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [seq, agent = ''] = line.split(' ');
      return { seq: Number(seq), agent };
    });

/**
 * An independent count: each event is handled at least once, and the first time only after all before it. So those of
 * an agent are in order, and none is skipped, also for a moment.
 */
const assertWhole = (handled: ReturnType<typeof handledIn>, due: readonly number[]): void => {
  const seen = new Set<number>();
  let next = 0;
  for (const { seq } of handled) {
    if (seen.has(seq)) continue;
    assert.equal(seq, due[next], `${seq} was handled before ${due[next]}`);
    seen.add(seq);
    next += 1;
  }
  assert.equal(next, due.length, `${due.length - next} events were never handled`);
};

for (const durability of ['os', 'fsync'] as const)
  it(`${EVENTS} events are handled by a program at least once each, in order, while program, broker and server are killed ${KILLS} times (${durability})`, async (t) => {
    t.diagnostic(`TEST_SEED=${SEED}`);
    const random = new Seeded(SEED);
    await using dir = tempDir();
    const dataDir = join(dir.path, 'data');
    const file = join(dir.path, 'handled');
    writeFileSync(file, '');
    const module = ['--no-shipped', '--durability', durability, '--module', writeShop(dir.path)];
    let broker: TestBroker = await startBroker({ dataDir, args: module });
    const { url } = broker;
    const start = (): Promise<TestBroker> =>
      startBroker({ dataDir, args: [...module, '--nats-port', new URL(url).port] });
    try {
      await using program = new Program(url, file);
      let sent = 0;
      const send = (upTo: number): Promise<unknown> =>
        waitFor('the commands of a round to be stored', async () => {
          const nc = await connect({ servers: url });
          try {
            for (; sent < upTo; sent++) {
              const action = random.int(0, 9) === 0 ? 'refund' : 'sell';
              const subject = `cmd.shop.${action}.a${random.int(1, AGENTS)}`;
              await nc.request(subject, JSON.stringify({ times: PER_COMMAND }), { timeout: 5_000 });
            }
            return true;
          } finally {
            await nc.close();
          }
        });
      const kill = async (victim: (typeof VICTIMS)[number]): Promise<void> => {
        if (victim === 'program') return program.killed();
        if (victim === 'broker') {
          await broker.kill();
          await broker[Symbol.asyncDispose]();
          broker = await start();
          return;
        }
        const { server } = await brokerStatus(dataDir);
        if (server.pid !== null) process.kill(server.pid, 'SIGKILL');
      };
      const perRound = EVENTS / PER_COMMAND / (KILLS + 1);
      for (let round = 0; round < KILLS; round++) {
        await send(Math.ceil(perRound * (round + 1)));
        const before = handledIn(file).length;
        await waitFor('the program to handle events', () => handledIn(file).length > before || round > 0);
        await kill(VICTIMS[round % VICTIMS.length] as 'program');
      }
      await send(EVENTS / PER_COMMAND);
      await waitFor(
        'all events to be handled',
        async () => {
          assert.equal(program.stderr, '');
          const due = eventsOf(await readHeard(dataDir), /^evt\.shop\./);
          assert.ok(due.length >= EVENTS, `${due.length} events`);
          assertWhole(handledIn(file), due);
          return true;
        },
        byForm({ short: 60_000, deep: 600_000 }),
      );
      const nc = await connect({ servers: url });
      try {
        await waitFor('the position to follow', async () => (await subscriber(nc).list())[0]?.lag === 0);
      } finally {
        await nc.close();
      }
    } finally {
      await broker[Symbol.asyncDispose]();
    }
  });
