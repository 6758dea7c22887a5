import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { copyDraft } from '../../journal/append/copy-draft.js';
import { MAX_HOLES, ModuleRecovery, NumberRecovery } from '../../journal/append/recovery.js';
import { HEADER } from '../../schemas/headers.js';
import { formatIdentity, formatPart } from '../../schemas/identity.js';
import { encodeJson } from '../../schemas/json.js';
import type { StoredMessage } from '../../schemas/record.js';

interface Entry {
  readonly subject: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly data?: unknown;
}

/** A log in memory: entries get their sequences as the server would give them. */
const logOf = (entries: readonly Entry[]): readonly StoredMessage[] =>
  entries.map(({ subject, headers = {}, data = {} }, i) => ({
    seq: i + 1,
    time: '2026-01-01T00:00:00.000Z',
    timeMs: Date.UTC(2026, 0),
    subject,
    header: (name) => headers[name],
    data: encodeJson(data),
  }));

const copies = (cause: number, n: number) =>
  Array.from({ length: n }, (_, i) => ({
    subject: `evt.m.happened.a`,
    id: `${cause}/${i + 1}`,
    data: { i },
  }));

const recoveryOf = (entries: readonly Entry[]): ModuleRecovery => {
  const recovery = new ModuleRecovery('m');
  for (const message of logOf(entries)) recovery.add(message);
  return recovery;
};

const command = (agent = 'a'): Entry => ({ subject: `cmd.m.act.${agent}.guest` });
const result = (cause: number, out = 0): Entry => ({
  subject: 'res.m.act.a',
  headers: { [HEADER.cause]: String(cause) },
  data: { status: 'ok', data: {}, ...(out === 0 ? {} : { out: copies(cause, out) }) },
});
const copy = (cause: number, i: number, n: number): Entry => ({
  subject: 'evt.m.happened.a',
  headers: { [HEADER.cause]: String(cause), [HEADER.part]: formatPart({ i, n }) },
});

describe('what a module left behind', () => {
  test('results of others say nothing about a module', () => {
    const other = { ...result(1, 3), subject: 'res.other.act.a' };
    assert.deepEqual([...recoveryOf([command(), other]).missing()], []);
  });

  test('I4 copies that an outcome promises and the log lacks are named, word for word', () => {
    const recovery = recoveryOf([command(), result(1, 3), copy(1, 2, 3)]);
    assert.deepEqual(
      [...recovery.missing()].map(({ decision, copy: { cause, i, n, out } }) => [
        decision,
        cause,
        i,
        n,
        Buffer.from(out.data).toString(),
      ]),
      [
        [2, 1, 1, 3, '{"i":0}'],
        [2, 1, 3, 3, '{"i":2}'],
      ],
    );
  });

  test('I4 a copy has the version of the result that promises it, whoever stores it', () => {
    const older = { ...result(1, 1), headers: { [HEADER.cause]: '1', [HEADER.schema]: '7' } };
    const out = [{ subject: 'cmd.other.act.a', id: '2/1', data: {} }];
    const sends = {
      ...older,
      headers: { ...older.headers, [HEADER.cause]: '2' },
      data: { status: 'ok', out },
    };
    const unversioned = result(3, 1);
    const missing = recoveryOf([command(), command(), command(), older, sends, unversioned]).missing();
    const versions = [...missing].map(({ copy }) => copyDraft(copy).headers?.[HEADER.schema]);
    assert.deepEqual(versions, ['7', undefined, undefined], 'of an event, of a command, of one without');
  });

  test('I4 a copy that somebody else pretends to be does not stand for the real one', () => {
    const forged = {
      subject: 'cmd.m.act.a.guest',
      headers: { [HEADER.cause]: '1', [HEADER.part]: formatPart({ i: 1, n: 1 }) },
    };
    assert.equal([...recoveryOf([command(), result(1, 1), forged]).missing()].length, 1);
  });

  test('what is no result promises no copies and stops nobody', () => {
    for (const data of [
      'not JSON',
      null,
      { status: 'ok', data: {}, out: 7 },
      { status: 'ok', data: {}, out: [null] },
    ]) {
      const recovery = recoveryOf([command(), { ...result(1), data }]);
      assert.deepEqual([...recovery.missing()], []);
    }
  });

  test('I4 whatever was left out, exactly that is found', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            answered: fc.boolean(),
            out: fc.nat(3),
            stored: fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }),
          }),
        ),
        (commands) => {
          const entries: Entry[] = commands.map(() => command());
          const missing: string[] = [];
          for (const [index, { answered, out, stored }] of commands.entries()) {
            const seq = index + 1;
            if (!answered) continue;
            entries.push(result(seq, out));
            for (let i = 1; i <= out; i++) {
              if (stored[i - 1] === true) entries.push(copy(seq, i, out));
              else missing.push(`${seq}/${i}`);
            }
          }
          const recovery = recoveryOf(entries);
          assert.deepEqual(
            [...recovery.missing()].map(({ copy: { cause, i } }) => `${cause}/${i}`),
            missing,
          );
        },
      ),
    );
  });
});

describe('which numbers of a producer are stored', () => {
  const record = (producer: string, epoch: number, n: number): Entry => ({
    subject: 'cmd.m.act.a.guest',
    headers: { [HEADER.id]: formatIdentity({ producer, epoch, n }) },
  });
  const numbersOf = (entries: readonly Entry[], fromSeq = 20): NumberRecovery => {
    const believes = ({ subject }: StoredMessage): boolean => !subject.endsWith('.forger');
    const numbers = new NumberRecovery('gateway', believes, fromSeq);
    for (const message of logOf(entries)) numbers.add(message);
    return numbers;
  };

  test('I2 only its latest epoch counts, and holes in it are named', () => {
    const numbers = numbersOf([
      record('gateway', 5, 1),
      record('gateway', 9, 1),
      record('other', 10, 1),
      record('gateway', 9, 2),
      record('gateway', 9, 5),
    ]);
    assert.deepEqual(
      [...numbers.stored].map(([n, messages]) => [n, ...messages.map(({ seq }) => seq)]),
      [
        [1, 2],
        [2, 4],
        [5, 5],
      ],
    );
    assert.deepEqual(numbers.end(), { epoch: 9, last: 5, holes: [3, 4] });
  });

  test('I2 an epoch that is looked at from its beginning has holes before its first number too', () => {
    const entries = [record('gateway', 9, 3), record('gateway', 9, 5)];
    assert.deepEqual(numbersOf(entries, 10).end(), { epoch: 9, last: 5, holes: [1, 2, 4] });
    assert.deepEqual(numbersOf(entries, 11).end(), { epoch: 9, last: 5, holes: [4] });
  });

  test('a number that is made up costs no more than the most that is said of holes', () => {
    const made = numbersOf([record('gateway', 9, 1), record('gateway', 9, Number.MAX_SAFE_INTEGER)]);
    assert.equal(made.end()?.holes.length, MAX_HOLES);
  });

  test('what is not believed to be its own changes nothing, also with a later epoch', () => {
    const forged = { ...record('gateway', 99, 1), subject: 'cmd.m.act.a.forger' };
    const numbers = numbersOf([record('gateway', 9, 1), forged, record('gateway', 9, 2)]);
    assert.deepEqual(numbers.end(), { epoch: 9, last: 2, holes: [] });
  });

  test('a producer that stored nothing has no end to tell of', () => {
    assert.equal(numbersOf([record('other', 1, 1)]).end(), null);
  });
});
