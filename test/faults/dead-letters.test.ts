import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from 'nats';
import { readLog } from '../../journal/read/reader.js';
import { type DeadLetter, DEAD } from '../../schemas/dead.js';
import { HEADER } from '../../schemas/headers.js';
import { parseSequence } from '../../schemas/identity.js';
import { manifest } from '../fixtures/modules/faulty/manifest.js';
import { startBroker, type TestBroker, tallystick } from '../support/broker.js';
import { byForm } from '../support/form.js';
import { checkLog, connectOperator } from '../support/log-checks.js';
import { writeModule } from '../support/module-dir.js';
import { moduleStatus } from '../support/modules.js';
import { tempDir } from '../support/temp-dir.js';
import { waitFor } from '../support/wait-for.js';

const COMMANDS = 200;
const ROUNDS = byForm({ short: 2, deep: 4 });

/** Commands whose results say that they are dead, and commands that redrive, as the log has them. */
const fromLog = async (dataDir: string) => {
  const nc = await connectOperator(dataDir);
  const dead: number[] = [];
  const redriven: number[] = [];
  for await (const message of readLog(nc, { filters: ['res.>', 'cmd.>'] })) {
    if (message.header(HEADER.dead) !== undefined)
      dead.push(parseSequence(message.header(HEADER.cause) ?? '') ?? 0);
    const letter = parseSequence(message.header(HEADER.redrives) ?? '');
    if (letter !== undefined) redriven.push(letter);
  }
  await nc.close();
  return { dead: dead.sort((a, b) => a - b), redriven: redriven.sort((a, b) => a - b) };
};

/** Commands of the letters that are stored, one for each record of the stream. */
const letters = async (dataDir: string): Promise<readonly number[]> => {
  const nc = await connectOperator(dataDir);
  const jsm = await jetstreamManager(nc, { checkAPI: false });
  const found: number[] = [];
  for (let seq = 1; ; seq++) {
    const stored = await jsm.direct.getMessage(DEAD, { seq, next_by_subj: 'dead.>' });
    if (stored === null) break;
    seq = stored.seq;
    const letter = stored.json<DeadLetter>();
    assert.deepEqual(letter.payload, { bytes: 0 });
    found.push(letter.command);
  }
  await nc.close();
  return found.sort((a, b) => a - b);
};

/** Sends commands that all fail; those that a kill takes on their way are not the point. */
const sendAll = async (url: string, count: number): Promise<void> => {
  const nc = await connect({ servers: url });
  await Promise.allSettled(
    Array.from({ length: count }, (_, i) =>
      nc.request(`cmd.faulty.throws.a${i % 20}`, '{"bytes":0}', { timeout: 20_000 }),
    ),
  );
  await nc.close();
};

test('I3 no dead letter is lost or doubled when module, server and broker are killed while letters are written', async (t) => {
  await using dir = tempDir();
  const faulty = await writeModule(join(dir.path, 'faulty'), 'faulty', manifest);
  const dataDir = join(dir.path, 'data');
  const start = (): Promise<TestBroker> =>
    startBroker({ dataDir, args: ['--no-shipped', '--durability', 'os', '--module', faulty] });
  let broker = await start();

  const settled = async (): Promise<void> => {
    await moduleStatus(broker, 'faulty', ({ lag, state }) => lag === 0 && state === 'loaded');
    await waitFor(
      'a letter for each dead command',
      async () => {
        assert.deepEqual(await letters(dataDir), (await fromLog(dataDir)).dead);
        return true;
      },
      60_000,
    );
  };

  for (let round = 0; round < ROUNDS; round++) {
    await sendAll(broker.url, COMMANDS / ROUNDS);
    const [module] = broker.ready.modules;
    assert.ok(module);
    if (round % 2 === 0) process.kill(module.pid, 'SIGKILL');
    // Letters are behind the results, which are behind the commands: some of each are on their way.
    await broker.kill('SIGKILL');
    broker = await start();
    await settled();
  }
  assert.equal((await letters(dataDir)).length, COMMANDS);
  t.diagnostic(`${COMMANDS} letters, each once, after ${ROUNDS} kills`);

  // Redriving is cut off by kills and asked for again until it is told that all is done.
  const requests: (number | null)[] = [];
  for (let kills = 0; ; kills++) {
    const redriving = tallystick(['dead', 'redrive', '--all', '--json'], { dataDir, timeoutMs: 60_000 });
    if (kills < ROUNDS) {
      const nc = await connect({ servers: broker.url });
      const seen = new Promise<void>((resolve) => {
        let count = 0;
        nc.subscribe('live.cmd.>', {
          callback: () => {
            if (++count === 10 + 20 * kills) resolve();
          },
        });
      });
      await nc.flush();
      await Promise.race([seen, redriving]);
      await broker.kill('SIGKILL');
      await nc.close();
      broker = await start();
    }
    const { code, stdout } = await redriving;
    requests.push(code);
    await moduleStatus(broker, 'faulty', ({ lag, state }) => lag === 0 && state === 'loaded');
    const { redriven, dead } = await fromLog(dataDir);
    assert.equal(new Set(redriven).size, redriven.length, 'a letter was redriven twice');
    // What was redriven failed again and is a letter of its own: only the first ones count here.
    const first = dead.slice(0, COMMANDS);
    if (first.every((seq) => redriven.includes(seq))) break;
    assert.ok(kills < 3 * ROUNDS, stdout);
  }
  t.diagnostic(`redriven by ${requests.length} requests, which ended with ${requests.join(', ')}`);
  await settled();
  const report = await checkLog(dataDir);
  assert.deepEqual([report.findings, report.unanswered], [[], []]);
  await broker.stop();
});
