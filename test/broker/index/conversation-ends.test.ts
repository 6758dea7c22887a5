import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { openConversations, type Conversations } from '../../../store/log-index/index.js';
import { HEADER } from '../../../schemas/headers.js';
import { verifyLog } from '../../../replay/index.js';
import type { Result } from '../../../schemas/result.js';
import { plain } from '../../fixtures/modules/plain/manifest.js';
import { startBroker, type TestBroker } from '../../support/broker.js';
import { brokerStatus } from '../../support/broker-status.js';
import { success } from '../../support/either.js';
import { connectOperator } from '../../support/log-checks.js';
import { readLog } from '../../../journal/read/reader.js';
import { writeModule } from '../../support/module-dir.js';
import { moduleCommand } from '../../support/modules.js';
import { natsCommand } from '../../support/requests.js';
import { type TempDir, tempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';

const decoder = new TextDecoder();

describe('how a conversation ends', () => {
  let home: TempDir;
  let dataDir: string;
  let broker: TestBroker;
  let conversations: Conversations;

  const start = (...modules: readonly string[]): Promise<TestBroker> =>
    startBroker({
      dataDir,
      args: ['--durability', 'os', ...modules.flatMap((dir) => ['--module', dir])],
    });

  before(async () => {
    home = tempDir();
    dataDir = join(home.path, 'data');
    broker = await start(await writeModule(join(home.path, 'guest-house'), 'plain', plain('house')));
    conversations = openConversations(dataDir);
    // It needs the others, which are to be unloaded.
    await module('unload', 'orders');
  });
  after(async () => {
    await conversations?.close();
    await broker?.[Symbol.asyncDispose]();
    await home?.[Symbol.asyncDispose]();
  });

  const send = (address: string, payload = '{}', headers = {}): Promise<number> =>
    natsCommand(broker.url, address, payload, headers);
  /** What the broker says; it is what is looked up. */
  const status = async (): Promise<number> => (await brokerStatus(dataDir)).conversationsOpen;
  const isOpen = async (...commands: readonly number[]): Promise<void> => {
    success(await conversations.atLeast(Math.max(...commands))());
    assert.deepEqual(
      conversations.list().conversations.map(({ conversation }) => conversation),
      commands,
    );
    assert.equal(conversations.count(), commands.length);
    assert.equal(await status(), commands.length);
  };
  const allEnded = async (): Promise<void> => {
    const nc = await connectOperator(dataDir);
    try {
      // Between an outcome and the commands that it sends none is open: the log tells when all has come.
      const isDone = async (): Promise<boolean> => {
        const { unanswered, waiting } = success(await verifyLog({ nc })()).verification;
        return unanswered + waiting === 0;
      };
      await waitFor('all to be answered', isDone, 30_000);
    } finally {
      await nc.close();
    }
    const isEnded = async (): Promise<boolean> => conversations.count() === 0 && (await status()) === 0;
    await waitFor('all conversations to end', isEnded, 30_000);
  };
  /** The code that a command was answered with; `ok` where it was done. */
  const answerTo = async (command: number): Promise<string> => {
    const nc = await connectOperator(dataDir);
    try {
      for await (const message of readLog(nc, { filters: ['res.>'] })) {
        if (message.header(HEADER.cause) !== String(command)) continue;
        const result = JSON.parse(decoder.decode(message.data)) as Result;
        return result.status === 'ok' ? 'ok' : `${result.status} ${result.error.code}`;
      }
      return 'none';
    } finally {
      await nc.close();
    }
  };
  const module = async (verb: string, ...args: readonly string[]): Promise<void> => {
    const { code, stderr } = await moduleCommand({ dataDir }, verb, ...args);
    assert.equal(code, 0, stderr);
  };

  test('by its result, whatever that says', async () => {
    const sent = [
      await send('accounts.deposit.alice', '{"amount":5}'),
      await send('accounts.withdraw.bob', '{"amount":5}'),
      await send('accounts.nothing.bob'),
    ];
    await allEnded();
    const expected = ['ok', 'rejected INSUFFICIENT_FUNDS', 'rejected ACTION_UNKNOWN'];
    assert.deepEqual(await Promise.all(sent.map(answerTo)), expected);
  });

  test('with the last command of those that its outcomes sent', async () => {
    await send('agents.spawn.walter', '{"kind":"smith"}');
    await allEnded();
    await module('unload', 'accounts');
    const order = await send('accounts.transfer.alice', '{"to":"bob","amount":1}');
    await isOpen(order);
    await module('load', join(import.meta.dirname, '..', '..', '..', 'modules', 'accounts'));
    await allEnded();
  });

  test('those of a module that is unloaded stay open until it is loaded, and by a deadline that has passed end then', async () => {
    await module('unload', 'house');
    const waiting = await send('house.echo.a', '1');
    const late = await send('house.echo.b', '2', {
      [HEADER.deadline]: new Date(Date.now() + 50).toISOString(),
    });
    await isOpen(waiting, late);
    assert.deepEqual(conversations.get(late)?.participants, ['guest', 'house/b']);
    await module('load', join(home.path, 'guest-house'));
    await allEnded();
    assert.deepEqual([await answerTo(waiting), await answerTo(late)], ['ok', 'expired DEADLINE_PAST']);
  });

  test('those of an agent that is retired are rejected when they come after it', async () => {
    await send('agents.spawn.smith');
    await allEnded();
    await module('unload', 'agents');
    const retire = await send('agents.retire.smith');
    const behind = [await send('agents.assign.smith'), await send('agents.release.smith')];
    await isOpen(retire, ...behind);
    await module('load', join(import.meta.dirname, '..', '..', '..', 'modules', 'agents'));
    await allEnded();
    assert.equal(await answerTo(retire), 'ok');
    for (const command of behind) assert.equal(await answerTo(command), 'rejected RETIRED');
  });

  test('those of a module that is removed end then; those of one that is only unloaded are open over a restart, and wait for it', async () => {
    await module('unload', 'house');
    await module('unload', 'accounts');
    const gone = await send('house.echo.a', '1');
    const kept = await send('accounts.balance.alice');
    await isOpen(gone, kept);
    await broker.kill('SIGKILL');
    assert.equal(conversations.count(), 2, 'they are looked up without a broker');
    broker = await start();
    await isOpen(gone, kept);
    await module('remove', 'house', '--yes');
    await waitFor('the one to end', async () => (await status()) === 1, 30_000);
    assert.equal(await answerTo(gone), 'rejected MODULE_UNKNOWN');
    await module('load', join(import.meta.dirname, '..', '..', '..', 'modules', 'accounts'));
    await allEnded();
    assert.equal(await answerTo(kept), 'ok');
  });
});
