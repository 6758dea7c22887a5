import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { HEADER } from '../../../schemas/headers.js';
import { partOrInvalid } from '../../../schemas/names.js';
import { conversationOf } from '../../../schemas/record.js';
import { splitSubject } from '../../../schemas/subjects.js';
import { byForm } from '../../support/form.js';
import { IndexedContents, recordOf, writeSteps } from '../../support/indexed-contents.js';

/** What is done to an index, one after the other. `of`: which of the open commands, counted round. */
type Step =
  | { readonly kind: 'command'; readonly module: string; readonly agent: string }
  | { readonly kind: 'call'; readonly of: number; readonly call: number; readonly honest: boolean }
  | { readonly kind: 'result'; readonly of: number; readonly dead: boolean }
  | { readonly kind: 'event'; readonly agent: string; readonly of: number }
  /** `committed`: the files have it, and the index was not told yet. */
  | { readonly kind: 'take' | 'committed' | 'kept' | 'failed' | 'restart' };

const MODULES = ['m', 'n', 'm$', 'a-long-name'];
const AGENTS = ['x', 'y', 'z', 'not a name'];

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('command'),
      module: fc.constantFrom(...MODULES),
      agent: fc.constantFrom(...AGENTS),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('call'),
      of: fc.nat(20),
      call: fc.integer({ min: 1, max: 3 }),
      honest: fc.boolean(),
    }),
  },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('result'), of: fc.nat(20), dead: fc.boolean() }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('event'), agent: fc.constantFrom(...AGENTS), of: fc.nat(20) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constantFrom('take', 'committed', 'kept', 'failed', 'restart') }),
  },
) as fc.Arbitrary<Step>;

interface Modelled {
  readonly seq: number;
  readonly module: string;
  readonly conversation: number;
  readonly calledBy: { readonly cause: number; readonly call: number } | null;
}

/** The same in maps, as if memory had no end. */
class Model {
  readonly open = new Map<number, Modelled>();
  readonly calls = new Map<number, Map<number, { seq: number; resultSeq: number | null }>>();
  readonly agents = new Set<string>();
  readonly letters = new Set<number>();

  conversations(): readonly (readonly [number, number])[] {
    const counts = new Map<number, number>();
    for (const { conversation } of this.open.values()) {
      counts.set(conversation, (counts.get(conversation) ?? 0) + 1);
    }
    return [...counts].sort(([a], [b]) => a - b);
  }
}

const run = async (steps: readonly Step[]): Promise<void> => {
  await using indexed = new IndexedContents();
  const model = new Model();
  let seq = 0;
  const command = (subject: string, headers: Readonly<Record<string, string>>): void => {
    seq += 1;
    const record = recordOf(seq, subject, headers);
    const parsed = splitSubject(subject);
    assert.ok(parsed?.kind === 'cmd');
    const { conversation, calledBy } = indexed.contents.commands.command(record, parsed);
    indexed.contents.conversations.command(record, parsed, conversation);
    model.open.set(seq, { seq, module: parsed.module, conversation: conversationOf(record), calledBy });
  };
  const picked = (of: number): Modelled | undefined => [...model.open.values()][of % model.open.size];
  const steppers = {
    command: ({ module, agent }) => command(`cmd.${module}.do.${agent}.guest`, {}),
    call: ({ of, call, honest }) => {
      const cause = picked(of);
      if (cause === undefined) return;
      const headers = {
        [HEADER.cause]: String(cause.seq),
        [HEADER.call]: String(call),
        [HEADER.conversation]: String(cause.conversation),
      };
      command(`cmd.n.do.x.${honest ? cause.module : 'guest'}`, headers);
      if (!honest) return;
      const calls = model.calls.get(cause.seq) ?? new Map();
      model.calls.set(cause.seq, calls);
      if (!calls.has(call)) calls.set(call, { seq, resultSeq: null });
    },
    result: ({ of, dead }) => {
      const answered = picked(of);
      if (answered === undefined) return;
      seq += 1;
      const subject = `res.${partOrInvalid(answered.module)}.do.x`;
      const record = recordOf(seq, subject, { [HEADER.cause]: String(answered.seq) });
      const parsed = splitSubject(subject);
      assert.ok(parsed?.kind === 'res');
      const closed = indexed.contents.commands.result(record, parsed);
      assert.equal(closed?.seq, answered.seq);
      indexed.contents.conversations.result(record, answered.conversation);
      if (dead) indexed.contents.letters.add(closed, record);
      if (dead) model.letters.add(answered.seq);
      model.open.delete(answered.seq);
      model.calls.delete(answered.seq);
      const { calledBy } = answered;
      const made = calledBy && model.calls.get(calledBy.cause)?.get(calledBy.call);
      if (made?.seq === answered.seq) made.resultSeq = seq;
    },
    event: ({ agent, of }) => {
      seq += 1;
      indexed.contents.agents.add('m', agent);
      if (agent !== 'not a name') model.agents.add(agent);
      const conversation = picked(of)?.conversation;
      if (conversation !== undefined) {
        indexed.contents.conversations.event(recordOf(seq, `evt.m.e.${agent}`, {}), conversation);
      }
      const [letter] = indexed.contents.letters.first(1);
      if (letter === undefined) return;
      indexed.contents.letters.stored(letter);
      model.letters.delete(letter.command.seq);
    },
    ...writeSteps(indexed),
  } as { readonly [K in Step['kind']]: (step: Extract<Step, { kind: K }>) => void };
  for (const each of steps) {
    (steppers[each.kind] as (step: Step) => void)(each);
    compare(indexed, model);
  }
  indexed.restart();
  compare(indexed, model);
  const conversations = indexed.files.rows.page('conversations', { after: 0 }, 1_000, (id, text) => [
    Number(id),
    (JSON.parse(text) as { commands: number }).commands,
  ]);
  assert.deepEqual(conversations, model.conversations());
};

const seqs = (commands: readonly { readonly seq: number }[]): readonly number[] =>
  commands.map(({ seq }) => seq);

const compare = ({ contents }: IndexedContents, { open, calls, agents, letters, ...model }: Model): void => {
  const { commands, conversations } = contents;
  const expected = [...open.keys()];
  assert.equal(commands.size, expected.length);
  assert.deepEqual(seqs(commands.page(0, 1_000)), expected);
  const middle = expected[Math.floor(expected.length / 2)] ?? 0;
  assert.deepEqual(seqs(commands.page(middle, 2)), expected.filter((seq) => seq > middle).slice(0, 2));
  for (const module of ['m', 'n', '_', 'a-long-name', 'nobody']) {
    const own = [...open.values()].filter((each) => partOrInvalid(each.module) === module);
    assert.deepEqual(seqs(commands.pageOf(module, 0, 1_000)), seqs(own), module);
    assert.deepEqual(seqs(commands.pageOf(module, own[0]?.seq ?? 0, 1)), seqs(own).slice(1, 2), module);
    assert.equal(commands.lowestOf(module), own[0]?.seq, module);
    assert.equal(commands.countOf(module), own.length, module);
    if (own.length > 0) assert.ok(commands.modules('', 100).includes(module), module);
  }
  for (const [seq, { conversation, calledBy }] of open) {
    const found = commands.get(seq);
    assert.deepEqual([found?.conversation, found?.calledBy], [conversation, calledBy]);
    for (const call of [1, 2, 3]) assert.deepEqual(commands.call(seq, call), calls.get(seq)?.get(call));
  }
  assert.equal(conversations.size, new Set([...open.values()].map(({ conversation }) => conversation)).size);
  assert.equal(contents.agents.size, agents.size);
  assert.deepEqual(
    contents.letters.first(1_000).map(({ command }) => command.seq),
    [...letters].sort((a, b) => a - b),
  );
  void model;
};

/** What the files had already was counted as still to come. */
const COUNTED_TWICE: Step[] = [
  { kind: 'command', module: 'm', agent: 'x' },
  { kind: 'take' },
  { kind: 'committed' },
];

describe('the tables of the index', () => {
  test('I3 I6 whatever is written and whatever is not, they say what maps in memory would', async () => {
    const lives = fc.array(step, { minLength: 10, maxLength: 60 });
    await fc.assert(fc.asyncProperty(lives, run), {
      numRuns: byForm({ short: 12, deep: 60 }),
      examples: [[COUNTED_TWICE]],
    });
  });
});
