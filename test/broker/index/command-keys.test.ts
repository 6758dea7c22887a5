import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, mock, test } from 'node:test';
import fc from 'fast-check';
import { CommandKeys, keyOf } from '../../../broker/index/command-keys.js';
import { KEY_WINDOW_MS } from '../../../schemas/command-key.js';
import { HEADER } from '../../../schemas/headers.js';
import type { StoredMessage } from '../../../schemas/record.js';
import { indexFiles } from '../../support/index-files.js';

const SENDERS = ['guest', 'operator'];
const KEYS = ['a', 'b', 'c', 'order-17'];

const message = (seq: number, headers: Readonly<Record<string, string>> = {}): StoredMessage => ({
  seq,
  time: new Date().toISOString(),
  timeMs: Date.now(),
  subject: 'cmd.m.act.guest',
  data: new Uint8Array(),
  header: (name) => headers[name],
});

beforeEach(() => mock.timers.enable({ apis: ['Date'], now: 1_000_000_000_000 }));
afterEach(() => mock.timers.reset());

type Step =
  | { readonly kind: 'command'; readonly sender: string; readonly key: string }
  | { readonly kind: 'result'; readonly of: number }
  | { readonly kind: 'later'; readonly ms: number }
  /** `committed`: the files have it, and the index was not told yet. */
  | { readonly kind: 'take' | 'committed' | 'kept' | 'failed' | 'restart' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('command'),
      sender: fc.constantFrom(...SENDERS),
      key: fc.constantFrom(...KEYS),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('result'), of: fc.nat(20) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('later'),
      ms: fc.constantFrom(1, 3_600_000, KEY_WINDOW_MS - 1, KEY_WINDOW_MS),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constantFrom('take', 'committed', 'kept', 'failed', 'restart') }),
  },
) as fc.Arbitrary<Step>;

interface Modelled {
  readonly sender: string;
  readonly key: string;
  readonly seq: number;
  readonly timeMs: number;
  resultSeq: number | null;
}

describe('the keys of commands', () => {
  test('are found for 24 hours, whatever is in the files, in memory or on its way', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        await using files = indexFiles();
        let keys = new CommandKeys(files.rows);
        const all: Modelled[] = [];
        /** What a restart finds: the commands and results in the files. */
        let taken: ReturnType<CommandKeys['take']> | undefined;
        let isCommitted = false;
        let seq = 0;
        const commit = (): void => {
          if (taken !== undefined && !isCommitted) files.commit({ rows: { ...taken } });
          isCommitted = true;
        };
        const settle = (isKept: boolean): void => {
          if (taken === undefined) return;
          if (isKept || isCommitted) {
            commit();
            keys.kept();
          } else keys.putBack();
          taken = undefined;
        };
        for (const each of steps) {
          switch (each.kind) {
            case 'command': {
              // The broker stores none with a key that is in use.
              if (keys.get(each) !== undefined) break;
              seq += 1;
              keys.command(message(seq), each);
              const { sender, key } = each;
              all.push({ sender, key, seq, timeMs: Date.now(), resultSeq: null });
              break;
            }
            case 'result': {
              const of = all[each.of % Math.max(1, all.length)];
              if (of === undefined || of.resultSeq !== null) break;
              seq += 1;
              keys.answered(of, of.seq, seq);
              of.resultSeq = seq;
              break;
            }
            case 'later':
              mock.timers.tick(each.ms);
              break;
            case 'take':
              if (taken !== undefined) break;
              taken = keys.take();
              isCommitted = false;
              break;
            case 'committed':
              commit();
              break;
            case 'kept':
            case 'failed':
              settle(each.kind === 'kept');
              break;
            case 'restart':
              // A broker that ends writes all.
              settle(true);
              files.commit({ rows: { ...keys.take() } });
              keys = new CommandKeys(files.rows);
              keys.load();
          }
          for (const sender of SENDERS)
            for (const key of KEYS) {
              const named = all.filter((one) => one.sender === sender && one.key === key);
              const last = named.findLast(({ timeMs }) => Date.now() - timeMs < KEY_WINDOW_MS);
              const found = keys.get({ sender, key });
              assert.deepEqual(
                found === undefined ? undefined : [found.seq, found.resultSeq],
                last === undefined ? undefined : [last.seq, last.resultSeq],
              );
            }
        }
      }),
      { numRuns: 100 },
    );
  });

  test('are bounded for each sender, and make room when they are 24 hours old', async () => {
    await using files = indexFiles();
    const keys = new CommandKeys(files.rows);
    const write = (): void => {
      files.commit({ rows: { ...keys.take() } });
      keys.kept();
    };
    for (let seq = 1; seq <= 10; seq++) keys.command(message(seq), { sender: 'guest', key: `k${seq}` });
    write();
    assert.deepEqual([keys.isFull('guest', 10), keys.isFull('guest', 11)], [true, false]);
    assert.equal(keys.isFull('operator', 1), false);
    // The count is in the files.
    const later = new CommandKeys(files.rows);
    assert.deepEqual([later.isFull('guest', 10), later.isFull('guest', 11)], [true, false]);
    mock.timers.tick(KEY_WINDOW_MS);
    assert.equal(keys.isFull('guest', 10), false);
    write();
    assert.equal(files.rows.count('keys') + files.rows.count('keyed'), 0);
  });

  test('leave the files as new ones come, more quickly than they come', async () => {
    await using files = indexFiles();
    const keys = new CommandKeys(files.rows);
    const write = (): void => {
      files.commit({ rows: { ...keys.take() } });
      keys.kept();
    };
    let seq = 0;
    const add = (): void => {
      seq += 1;
      keys.command(message(seq), { sender: 'guest', key: `k${seq}` });
    };
    for (let i = 0; i < 100; i++) add();
    write();
    mock.timers.tick(KEY_WINDOW_MS);
    for (let i = 0; i < 25; i++) add();
    write();
    assert.deepEqual([files.rows.count('keys'), files.rows.count('keyed')], [25, 25]);
  });

  test('a key counts that the broker stored, in its form', () => {
    const id = { [HEADER.id]: 'gateway.5.1' };
    assert.equal(keyOf(message(1, { ...id, [HEADER.key]: 'a' })), 'a');
    assert.equal(keyOf(message(1, id)), undefined);
    assert.equal(keyOf(message(1, { ...id, [HEADER.key]: 'a b' })), undefined);
    for (const other of ['accounts.5.1', 'guest~a.5.1', 'no identity'])
      assert.equal(keyOf(message(1, { [HEADER.id]: other, [HEADER.key]: 'a' })), undefined);
  });

  test('a command of more than 24 hours ago leaves none', async () => {
    await using files = indexFiles();
    const keys = new CommandKeys(files.rows);
    const old = message(1);
    mock.timers.tick(KEY_WINDOW_MS);
    keys.command(old, { sender: 'guest', key: 'a' });
    assert.equal(keys.changes, 0);
  });
});
