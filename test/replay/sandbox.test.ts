import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { comparedLine, comparedText } from '../../bin/text/run-text.js';
import { type CommandNode, CommandTree } from '../../replay/sandbox/command-tree.js';
import { compareCommands, type Verdict } from '../../replay/sandbox/compare-answers.js';
import { feedDraft } from '../../replay/sandbox/feed-draft.js';
import type { WholeMessage } from '../../schemas/record.js';
import { headerBytes, rawRecord, wireRecord } from './exported-records.js';

type Given = readonly [seq: number, subject: string, body: unknown, ...headers: readonly string[]];

/** Record n was stored n seconds behind this. */
const START_MS = Date.UTC(2026, 0);
const timeOf = (seq: number, startMs = START_MS): string => new Date(startMs + seq * 1_000).toISOString();

const message = ([seq, subject, body, ...headers]: Given, startMs = START_MS): WholeMessage =>
  wireRecord(
    rawRecord({
      seq,
      subject,
      nanos: `${startMs + seq * 1_000}000000`,
      headerBytes: headerBytes(...headers),
      data: Buffer.from(JSON.stringify(body)),
    }),
  );

const treeOf = (records: readonly Given[], startMs = START_MS): CommandTree => {
  const tree = new CommandTree();
  for (const record of records) tree.add(message(record, startMs));
  return tree;
};

const cmd = (seq: number, ...headers: readonly string[]): Given => [seq, 'cmd.a.b.x.guest', {}, ...headers];
const ok = (seq: number, cause: number, data: unknown, out?: readonly object[]): Given => [
  seq,
  'res.a.b.x',
  { status: 'ok', data, ...(out === undefined ? {} : { out }) },
  `Tally-Cause: ${cause}`,
];

/** Command 1 as recorded and command 101 a month later, with what follows. */
const verdicts = (
  was: readonly Given[],
  is: readonly Given[],
): readonly (readonly [Verdict, number | null])[] => {
  const [a, b] = [treeOf(was).find(1), treeOf(is, START_MS + 2_678_400_000).find(101)];
  assert.ok(a !== undefined && b !== undefined);
  return compareCommands(a, b, new Map()).map(({ verdict, recordedSeq }) => [verdict, recordedSeq]);
};

test('answers are the same but for what must differ: sequences of the same records, and the time of handling', () => {
  const later = START_MS + 2_678_400_000;
  const same = (was: unknown, is: unknown): Verdict | undefined =>
    verdicts([cmd(1), ok(2, 1, was)], [cmd(101), ok(102, 101, is)])[0]?.[0];
  assert.equal(same({ a: [1, 'x', null] }, { a: [1, 'x', null] }), 'same');
  assert.equal(same({ seq: 1 }, { seq: 101 }), 'same');
  assert.equal(same({ seq: 1 }, { seq: 102 }), 'different');
  assert.equal(same({ at: timeOf(2) }, { at: timeOf(102, later) }), 'same');
  assert.equal(same({ at: timeOf(2) }, { at: timeOf(2) }), 'same');
  assert.equal(same({ due: timeOf(9_000) }, { due: timeOf(9_000, later) }), 'different');
  for (const [was, is] of [
    [1, 2],
    ['1', 1],
    [{ a: 1 }, { a: 1, b: 1 }],
    [{ a: 1, b: 1 }, { a: 1 }],
    [[1], { 0: 1 }],
    [null, {}],
    ['x', 'y'],
  ])
    assert.equal(same(was, is), 'different', JSON.stringify([was, is]));
});

test('what an outcome carries is compared, but for its ids', () => {
  const out = (cause: number, amount: number) => [
    { subject: 'evt.a.done.x', id: `${cause}/1`, data: { amount } },
  ];
  const pair = (amount: number) =>
    verdicts([cmd(1), ok(2, 1, {}, out(1, 5))], [cmd(101), ok(102, 101, {}, out(101, amount))]);
  assert.deepEqual(pair(5), [['same', 1]]);
  assert.deepEqual(pair(6), [['different', 1]]);
});

test('calls are matched by their numbers and sent commands by their parts; new and missing ones are told', () => {
  const call = (seq: number, cause: number, n: number): Given =>
    cmd(seq, `Tally-Cause: ${cause}`, `Tally-Call: ${n}`);
  const part = (seq: number, cause: number, n: string): Given =>
    cmd(seq, `Tally-Cause: ${cause}`, `Tally-Part: ${n}`);
  assert.deepEqual(
    verdicts(
      [cmd(1), call(2, 1, 1), ok(3, 2, 'a'), call(4, 1, 2), ok(5, 4, 'b'), ok(6, 1, {}), part(7, 1, '1/1')],
      [
        cmd(101),
        call(104, 101, 1),
        ok(105, 104, 'a'),
        call(106, 101, 3),
        ok(107, 101, {}),
        part(108, 101, '1/1'),
      ],
    ),
    [
      ['same', 1],
      ['same', 2],
      ['missing', 4],
      ['same', 7],
      ['new', null],
    ],
  );
  assert.deepEqual(verdicts([cmd(1), ok(2, 1, {})], [cmd(101)]), [['unanswered', 1]]);
  assert.deepEqual(verdicts([cmd(1)], [cmd(101), ok(102, 101, {})]), [['answered', 1]]);
});

test('a tree is quiet when commands are answered, and those that outcomes sent too', () => {
  const tree = treeOf([cmd(1)]);
  assert.equal(tree.isQuiet, false);
  tree.add(message(ok(2, 1, {}, [{ subject: 'evt.a.b.x' }, { subject: 'cmd.a.b.y' }])));
  assert.equal(tree.isQuiet, false);
  tree.add(message(cmd(3, 'Tally-Cause: 1', 'Tally-Part: 2/2')));
  assert.equal(tree.isQuiet, false);
  tree.add(message(ok(4, 3, {})));
  assert.equal(tree.isQuiet, true);
});

test('a command is sent again with its sender and its deadline as far away as it was', () => {
  const command = message([
    17,
    'cmd.a.b.x.operator',
    { amount: 5 },
    `Tally-Deadline: ${timeOf(47)}`,
    'Tally-Priority: urgent',
    'Tally-Conversation: 12',
    'Tally-Id: gateway.3.9',
    'Nats-Msg-Id: once',
    'Nats-Expected-Last-Subject-Sequence: 3',
    'X-Other: y',
  ]);
  const { subject, data, headers } = feedDraft(command, new Map([[12, 112]]), Date.UTC(2027, 0));
  assert.deepEqual(
    [subject, Buffer.from(data).toString(), { ...headers }],
    [
      'cmd.a.b.x.operator',
      '{"amount":5}',
      {
        'Tally-Priority': 'urgent',
        'X-Other': 'y',
        'Tally-Conversation': '112',
        'Tally-Deadline': '2027-01-01T00:00:30.000Z',
      },
    ],
  );
  assert.deepEqual(
    { ...feedDraft(message(cmd(1, 'Tally-Deadline: soon')), new Map()).headers },
    {
      'Tally-Deadline': 'soon',
    },
  );
});

test('a chain of any length is compared, and what was answered is shown as it was stored', () => {
  const LONG = 20_000;
  const chain = (from: number): readonly Given[] =>
    Array.from({ length: LONG }, (_, i) =>
      cmd(from + i, ...(i === 0 ? [] : [`Tally-Cause: ${from + i - 1}`, 'Tally-Call: 1'])),
    );
  const found = verdicts(chain(1), [...chain(101), ok(LONG + 101, LONG + 100, {})]);
  assert.equal(found.length, LONG);
  assert.deepEqual(found.at(-1), ['answered', LONG]);

  const answer = (text: string): CommandTree => {
    const tree = new CommandTree();
    tree.add(message(cmd(1)));
    const headers = headerBytes('Tally-Cause: 1');
    tree.add(
      wireRecord(rawRecord({ seq: 2, subject: 'res.a.b.x', headerBytes: headers, data: Buffer.from(text) })),
    );
    return tree;
  };
  const number = fc.constantFrom('9007199254740993', '1.0', '1e999', '-0', '{"a":1,"a":2}');
  fc.assert(
    fc.property(number, number, (before, now) => {
      const [was, is] = [`{"status":"ok","data":${before}}`, `{"status":"failed","data":${now}}`];
      const [compared] = compareCommands(
        answer(was).find(1) as CommandNode,
        answer(is).find(1) as CommandNode,
        new Map(),
      );
      assert.ok(compared !== undefined);
      assert.ok(
        comparedLine(compared).endsWith(
          `"recordedForm":"json","recorded":${was},"nowForm":"json","now":${is}}`,
        ),
      );
      assert.ok(comparedText(compared).includes(`was ${was}\n  is  ${is}`));
    }),
  );
});
