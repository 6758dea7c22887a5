import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { ConversationTable } from '../../../broker/index/conversation-table.js';
import { parseOpen } from '../../../store/log-index/index-files.js';
import type { RowChanges } from '../../../broker/index/index-store.js';
import { MAX_PARTICIPANTS, type OpenConversation } from '../../../schemas/conversation.js';
import type { StoredMessage } from '../../../schemas/record.js';
import { splitSubject } from '../../../schemas/subjects.js';
import { type IndexFilesForTest, indexFiles } from '../../support/index-files.js';

const timeOf = (seq: number): string => new Date(seq * 1_000).toISOString();

const message = (seq: number, subject: string): StoredMessage => ({
  seq,
  time: timeOf(seq),
  timeMs: seq * 1_000,
  subject,
  header: () => undefined,
  data: new Uint8Array(),
});

let files: IndexFilesForTest;
beforeEach(() => {
  files = indexFiles();
});
afterEach(() => files[Symbol.asyncDispose]());

/** A table, what it gives to write by the conversation, and how often it said that there is something. */
const table = () => {
  let changes = 0;
  const conversations = new ConversationTable(files.rows, () => {
    changes += 1;
  });
  const command = (seq: number, subject: string, conversation = seq): void => {
    const parsed = splitSubject(subject);
    assert.ok(parsed?.kind === 'cmd');
    conversations.command(message(seq, subject), parsed, conversation);
  };
  const result = (seq: number, conversation: number): void =>
    conversations.result(message(seq, 'res.m.a'), conversation);
  const event = (seq: number, conversation: number): void =>
    conversations.event(message(seq, 'evt.m.a'), conversation);
  const opened = (changes: RowChanges): ReadonlyMap<number, OpenConversation | null> =>
    new Map(changes.map(([id, json]) => [Number(id), json === null ? null : parseOpen(json)]));
  const took = () => opened(conversations.take());
  /** What goes to the files, and is there. */
  const take = () => {
    const changes = conversations.take();
    files.commit({ rows: { conversations: changes } });
    conversations.kept();
    return opened(changes);
  };
  return { conversations, command, result, event, take, took, changes: () => changes };
};

describe('the table of open conversations', () => {
  test('a conversation is open from its first command to its last result', () => {
    const { conversations, command, result, take } = table();
    command(1, 'cmd.m.a.x.guest');
    command(2, 'cmd.n.b.m', 1);
    result(3, 1);
    assert.equal(conversations.size, 1);
    result(4, 1);
    assert.equal(conversations.size, 0);
    assert.deepEqual([...take()], []);
  });

  test('it says who takes part, when it began, and what was last; events of it count as records of it', () => {
    const { command, result, event, take } = table();
    command(10, 'cmd.orders.place.o-1.guest');
    command(11, 'cmd.accounts.withdraw.alice.orders', 10);
    result(12, 10);
    event(13, 10);
    event(14, 99);
    assert.deepEqual(take().get(10), {
      conversation: 10,
      began: timeOf(10),
      last: { seq: 13, time: timeOf(13) },
      commands: 1,
      participants: ['guest', 'orders/o-1', 'orders', 'accounts/alice'],
      more: false,
    });
  });

  test('one that opens and ends between two groups is never written; many changes of one are written once', () => {
    const { conversations, command, result, take } = table();
    command(1, 'cmd.m.a.x.guest');
    command(2, 'cmd.m.a.y.guest');
    result(3, 1);
    command(4, 'cmd.m.a.z.guest', 2);
    command(5, 'cmd.m.a.z.guest', 2);
    const group = take();
    assert.deepEqual([...group.keys()], [2]);
    assert.equal(group.get(2)?.commands, 3);
    assert.equal(conversations.changes, 0);
    for (const seq of [6, 7, 8]) result(seq, 2);
    assert.deepEqual([...take()], [[2, null]]);
  });

  test('an outcome that answers the last command and sends another ends nothing that is forgotten', () => {
    const { command, result, take } = table();
    command(1, 'cmd.agents.spawn.x.guest');
    result(2, 1);
    command(3, 'cmd.agents.enroll.agents', 1);
    const { began, participants } = take().get(1) as OpenConversation;
    assert.deepEqual([began, participants], [timeOf(1), ['guest', 'agents/x', 'agents']]);
  });

  test('what could not be written is written with what came since, also where it has ended meanwhile', () => {
    const { conversations, command, result, take, took } = table();
    command(1, 'cmd.m.a.x.guest');
    command(2, 'cmd.m.a.y.guest');
    took();
    result(3, 1);
    conversations.putBack();
    assert.deepEqual([...take().keys()], [2], 'of the other nobody has seen anything');
    result(4, 2);
    took();
    conversations.putBack();
    command(5, 'cmd.m.a.z.guest', 2);
    result(6, 2);
    assert.deepEqual([...take()], [[2, null]], 'it is in the files still');
  });

  test('participants are bounded, which is told; a token that is no name is none of theirs', () => {
    const { command, take } = table();
    command(1, 'cmd.m$.a.x y.guest');
    for (let i = 0; i < MAX_PARTICIPANTS; i++) command(2 + i, `cmd.m.a.agent-${i}.guest`, 1);
    const { participants, more } = take().get(1) as OpenConversation;
    assert.deepEqual(participants.slice(0, 3), ['guest', '_/_', 'm/agent-0']);
    assert.equal(participants.length, MAX_PARTICIPANTS);
    assert.equal(more, true);
  });

  test('whoever comes back after many others have ended begins anew, and is taken out when it ends', () => {
    const { command, result, take } = table();
    command(1, 'cmd.m.a.x.guest');
    take();
    result(2, 1);
    for (let seq = 10; seq < 20_000; seq += 2) {
      command(seq, 'cmd.m.a.x.guest');
      result(seq + 1, seq);
    }
    command(20_000, 'cmd.m.a.y.operator', 1);
    assert.deepEqual(take().get(1)?.participants, ['operator', 'm/y']);
    result(20_001, 1);
    assert.deepEqual([...take()], [[1, null]]);
  });
});
