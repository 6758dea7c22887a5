import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { OpenConversation } from '../../schemas/conversation.js';
import { startBroker, type TestBroker } from '../support/broker.js';
import { moduleCommand } from '../support/modules.js';
import { natsCommand } from '../support/requests.js';
import type { ProgramResult } from '../support/run-program.js';
import { type TempDir, tempDir } from '../support/temp-dir.js';
import { tallystick } from './tallystick.js';

interface Page {
  readonly conversations: readonly OpenConversation[];
  readonly next: number | null;
  readonly count: number;
}

describe('tallystick conversation', () => {
  let home: TempDir;
  let broker: TestBroker;
  /** Commands to a module that is unloaded: nobody answers them. */
  const sent: number[] = [];

  const conversation = (...args: readonly string[]): Promise<ProgramResult> =>
    tallystick(['conversation', ...args, '--data', broker.dataDir], { cwd: home.path });
  const json = async <T>(...args: readonly string[]): Promise<T> => {
    const { code, stdout, stderr } = await conversation(...args, '--json');
    assert.deepEqual([code, stderr], [0, '']);
    return JSON.parse(stdout) as T;
  };

  before(async () => {
    home = tempDir();
    broker = await startBroker();
    const { code, stderr } = await moduleCommand(broker, 'unload', 'orders');
    assert.equal(code, 0, stderr);
    for (const agent of ['o-1', 'o-2', 'o-3']) {
      sent.push(await natsCommand(broker.url, `orders.show.${agent}`, '{}'));
    }
    assert.equal((await json<Page>('list', '--at-least', `${sent.at(-1)}`)).count, 3);
  });
  after(async () => {
    await broker?.[Symbol.asyncDispose]();
    await home?.[Symbol.asyncDispose]();
  });

  it('get prints who takes part in an open conversation and what is open', async () => {
    const [first = 0] = sent;
    const found = await json<OpenConversation>('get', `${first}`);
    assert.deepEqual(
      { ...found, began: '', last: { ...found.last, time: '' } },
      {
        conversation: first,
        began: '',
        last: { seq: first, time: '' },
        commands: 1,
        participants: ['guest', 'orders/o-1'],
        more: false,
      },
    );
    assert.ok(Math.abs(Date.now() - Date.parse(found.began)) < 120_000, found.began);
    const { stdout } = await conversation('get', `${first}`);
    assert.match(stdout, new RegExp(`^conversation  ${first}, since .*\nlast record   ${first}, .*`));
    assert.match(stdout, /\nopen {10}1 command\nparticipants {2}guest, orders\/o-1\n/);
  });

  it('get of one that is not open exits 1 and says where its records are', async () => {
    const { code, stdout, stderr } = await conversation('get', '1', '--json');
    assert.deepEqual([code, stdout], [1, '']);
    const { error } = JSON.parse(stderr) as { error: { code: string; message: string } };
    assert.equal(error.code, 'CONVERSATION_NOT_OPEN');
    assert.match(error.message, /tallystick replay history --conversation 1`/);
  });

  it('list goes through them page by page, says how many there are, and narrows', async () => {
    const ids = ({ conversations }: Page): readonly number[] =>
      conversations.map(({ conversation: one }) => one);
    const first = await json<Page>('list', '--limit', '2');
    assert.deepEqual([ids(first), first.next, first.count], [sent.slice(0, 2), sent[1], 3]);
    const second = await json<Page>('list', '--limit', '2', '--after', `${sent[1]}`);
    assert.deepEqual([ids(second), second.next, second.count], [sent.slice(2), null, 3]);
    assert.deepEqual(ids(await json<Page>('list', '--agent', 'o-2')), [sent[1]]);
    assert.deepEqual(ids(await json<Page>('list', '--module', 'accounts')), []);
    const { stdout } = await conversation('list', '--limit', '1');
    assert.match(stdout, /^CONVERSATION +BEGAN +LAST +TIME +OPEN +PARTICIPANTS\n/);
    assert.match(stdout, new RegExp(`\n1 of 3 open conversations; the next: --after ${sent[0]}\n$`));
  });

  it('waits for records that the broker has not read, as long as it is told to', async () => {
    const beyond = ['--at-least', '9999999', '--timeout', '50ms', '--json'];
    for (const command of [['list'], ['get', `${sent[0]}`]]) {
      const { code, stdout, stderr } = await conversation(...command, ...beyond);
      assert.deepEqual([code, stdout], [1, '']);
      assert.match(stderr, /"code":"CONVERSATIONS_BEHIND".*did not reach 9999999 in 50 ms/);
    }
  });

  it('needs no broker, also after one was killed; where none has run it says so', async () => {
    await broker.kill();
    assert.equal((await json<Page>('list')).count, 3);
    const { code, stderr } = await tallystick(['conversation', 'list', '--data', home.path, '--json']);
    assert.equal(code, 1);
    assert.match(stderr, /"code":"CONVERSATIONS_UNAVAILABLE".*no broker has read a log there/);
  });
});
