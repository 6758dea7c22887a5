import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { OpenCommands } from '../../../broker/index/open-commands.js';
import { OpenWaits } from '../../../broker/index/open-waits.js';
import { KeptSignals } from '../../../broker/index/kept-signals.js';
import { HEADER } from '../../../schemas/headers.js';
import type { StoredMessage } from '../../../schemas/record.js';
import { splitSubject } from '../../../schemas/subjects.js';
import { noFiles } from '../../support/index-files.js';

type Headers = Readonly<Record<string, string>>;

const message = (seq: number, subject: string, headers: Headers = {}): StoredMessage => ({
  seq,
  time: '2026-01-01T00:00:00.000Z',
  timeMs: Date.UTC(2026, 0),
  subject,
  header: (name) => headers[name],
  data: new Uint8Array(),
});

/** Commands and results by subject, given their sequences in order. */
const folded = (...records: readonly (readonly [subject: string, headers?: Headers])[]): OpenCommands => {
  const commands = new OpenCommands(
    noFiles(),
    new OpenWaits(noFiles(), () => undefined),
    new KeptSignals(noFiles()),
  );
  for (const [i, [subject, headers]] of records.entries()) {
    const parsed = splitSubject(subject);
    if (parsed?.kind === 'cmd') commands.command(message(i + 1, subject, headers), parsed);
    else if (parsed?.kind === 'res') commands.result(message(i + 1, subject, headers), parsed);
  }
  return commands;
};

const cause = (seq: number): Headers => ({ [HEADER.cause]: String(seq) });
const made = (seq: number, call: number, conversation: number): Headers => ({
  ...cause(seq),
  [HEADER.call]: String(call),
  [HEADER.conversation]: String(conversation),
});

describe('open commands', () => {
  test('a command is open until a result of its own module answers it', () => {
    const commands = folded(['cmd.m.a.x.guest'], ['res.other.a.x', cause(1)], ['cmd.m.a.y.guest']);
    assert.equal(commands.size, 2);
    assert.equal(commands.lowestOf('m'), 1);
    const answered = folded(['cmd.m.a.x.guest'], ['res.m.a.x', cause(1)], ['cmd.m.a.y.guest']);
    assert.equal(answered.size, 1);
    assert.equal(answered.lowestOf('m'), 3);
  });

  test('a call of a handler is known by its cause and number, with its result, until its cause is answered', () => {
    const records: readonly (readonly [string, Headers?])[] = [
      ['cmd.m.a.x.guest'],
      ['cmd.n.b.y.m', made(1, 1, 1)],
      ['res.n.b.y', cause(2)],
      ['cmd.n.b.z.m', made(1, 2, 1)],
    ];
    const commands = folded(...records);
    assert.deepEqual(commands.call(1, 1), { seq: 2, resultSeq: 3 });
    assert.deepEqual(commands.call(1, 2), { seq: 4, resultSeq: null });
    assert.equal(folded(...records, ['res.m.a.x', cause(1)]).call(1, 1), undefined);
  });

  test('I7 a sender who names the cause of another module makes no call of its handler', () => {
    const commands = folded(['cmd.m.a.x.guest'], ['cmd.n.b.y.guest', made(1, 1, 1)]);
    assert.equal(commands.call(1, 1), undefined);
  });

  test('a command whose tokens are no names is closed by the answer that the broker gives it', () => {
    assert.equal(folded(['cmd.m$.a.x.guest'], ['res._.a.x', cause(1)]).size, 0);
  });
});
