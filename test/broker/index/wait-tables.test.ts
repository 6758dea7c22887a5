import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { NEVER } from '../../../broker/index/open-waits.js';
import { HEADER } from '../../../schemas/headers.js';
import { splitSubject } from '../../../schemas/subjects.js';
import { byForm } from '../../support/form.js';
import { IndexedContents, recordOf, writeSteps } from '../../support/indexed-contents.js';

const MODULES = ['m', 'n'];
const AGENTS = ['x', 'y'];
const NAMES = ['go', 'stop'];

/** What a wait waits for besides its time. */
type Ends = 'time' | 'signal' | 'promise';

/** What is done to an index, one after the other. `of`: which of those that are there, counted round. */
type Step =
  | { readonly kind: 'command'; readonly module: string; readonly agent: string }
  | {
      readonly kind: 'wait';
      readonly of: number;
      readonly call: number;
      readonly ends: Ends;
      readonly name: string;
      /** Seconds since 1970; undefined: it has no limit. */
      readonly until: number | undefined;
    }
  /** `takes`: by the first signal of its address, if it waits for one. */
  | { readonly kind: 'wake'; readonly of: number; readonly takes: boolean }
  | { readonly kind: 'wakeOfNone'; readonly of: number; readonly call: number }
  | { readonly kind: 'signal'; readonly module: string; readonly agent: string; readonly name: string }
  | { readonly kind: 'result'; readonly of: number }
  | { readonly kind: 'take' | 'committed' | 'kept' | 'failed' | 'restart' };

const of = fc.nat(20);
const module = fc.constantFrom(...MODULES);
const agent = fc.constantFrom(...AGENTS);
const name = fc.constantFrom(...NAMES);
const call = fc.integer({ min: 1, max: 4 });

const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('command'), module, agent }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('wait'),
      of,
      call,
      ends: fc.constantFrom('time', 'signal', 'signal', 'promise'),
      name,
      until: fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined }),
    }),
  },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('wake'), of, takes: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('wakeOfNone'), of, call }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('signal'), module, agent, name }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('result'), of }) },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constantFrom('take', 'committed', 'kept', 'failed', 'restart') }),
  },
) as fc.Arbitrary<Step>;

interface ModelWait {
  readonly cause: number;
  readonly call: number;
  readonly module: string;
  readonly agent: string;
  readonly untilMs: number;
  readonly signal: string | undefined;
  readonly promise: string | undefined;
}

/** The same in lists, as if memory had no end. */
class Model {
  readonly commands = new Map<number, { readonly module: string; readonly agent: string }>();
  /** Numbers of each command that are taken. */
  readonly numbers = new Set<string>();
  waits: ModelWait[] = [];
  signals: { readonly address: string; readonly seq: number }[] = [];

  keptOf(address: string): readonly number[] {
    return this.signals.filter((each) => each.address === address).map(({ seq }) => seq);
  }
}

const picked = <T>(all: readonly T[], at: number): T | undefined => all[at % all.length];

const run = async (steps: readonly Step[]): Promise<void> => {
  await using indexed = new IndexedContents();
  const model = new Model();
  let seq = 0;
  /** A record of the handler of a command, or about it. */
  const about = (kind: string, cause: number, headers: Readonly<Record<string, string>> = {}) => {
    seq += 1;
    const { module, agent } = model.commands.get(cause) as { module: string; agent: string };
    const text = `${kind}.${module}.do.${agent}`;
    const parsed = splitSubject(text);
    assert.ok(parsed !== undefined);
    const record = recordOf(seq, text, { [HEADER.cause]: String(cause), ...headers });
    return { record, address: { module, name: 'do', agent } };
  };
  const steppers = {
    command: ({ module, agent }) => {
      seq += 1;
      const parsed = splitSubject(`cmd.${module}.do.${agent}.guest`);
      assert.ok(parsed?.kind === 'cmd');
      indexed.contents.commands.command(recordOf(seq, `cmd.${module}.do.${agent}.guest`, {}), parsed);
      model.commands.set(seq, { module, agent });
    },
    wait: ({ of, call, ends, name, until }) => {
      const cause = picked([...model.commands.keys()], of);
      // A sleep has a time in any case.
      const due = until ?? (ends === 'time' ? 5 : undefined);
      if (cause === undefined) return;
      const { record, address } = about('step', cause, {
        [HEADER.call]: String(call),
        ...(due === undefined ? {} : { [HEADER.until]: new Date(due * 1_000).toISOString() }),
        ...(ends === 'signal' ? { [HEADER.signal]: name } : {}),
        ...(ends === 'promise' ? { [HEADER.promise]: `secret ${seq}` } : {}),
      });
      indexed.contents.commands.step(record, address);
      const id = `${cause}/${call}`;
      if (model.numbers.has(id)) return;
      model.numbers.add(id);
      model.waits.push({
        cause,
        call,
        ...address,
        untilMs: due === undefined ? NEVER : due * 1_000,
        signal: ends === 'signal' ? name : undefined,
        promise: record.header(HEADER.promise),
      });
    },
    wake: ({ of, takes }) => {
      const wait = picked(model.waits, of);
      if (wait === undefined) return;
      const { cause, call, module, agent, signal } = wait;
      const taken =
        takes && signal !== undefined ? model.keptOf(`${module}/${agent}/${signal}`)[0] : undefined;
      const { record, address } = about('wake', cause, {
        [HEADER.call]: String(call),
        ...(taken === undefined ? {} : { [HEADER.signal]: String(taken) }),
      });
      assert.equal(indexed.contents.commands.woken(record, address), true);
      model.waits = model.waits.filter((each) => each !== wait);
      model.signals = model.signals.filter((each) => each.seq !== taken);
      // The second one counts for nothing.
      assert.equal(indexed.contents.commands.woken(record, address), false);
    },
    wakeOfNone: ({ of, call }) => {
      const cause = picked([...model.commands.keys()], of);
      if (cause === undefined || model.waits.some((each) => each.cause === cause && each.call === call))
        return;
      const { record, address } = about('wake', cause, { [HEADER.call]: String(call) });
      assert.equal(indexed.contents.commands.woken(record, address), false);
    },
    signal: ({ module, agent, name }) => {
      seq += 1;
      indexed.contents.signals.sent({ module, agent, name }, seq);
      model.signals.push({ address: `${module}/${agent}/${name}`, seq });
    },
    result: ({ of }) => {
      const cause = picked([...model.commands.keys()], of);
      if (cause === undefined) return;
      const { record, address } = about('res', cause);
      assert.equal(indexed.contents.commands.result(record, address)?.seq, cause);
      model.commands.delete(cause);
      model.waits = model.waits.filter((each) => each.cause !== cause);
    },
    ...writeSteps(indexed),
  } as { readonly [K in Step['kind']]: (step: Extract<Step, { kind: K }>) => void };
  for (const each of steps) {
    (steppers[each.kind] as (step: Step) => void)(each);
    compare(indexed, model);
  }
  indexed.restart();
  compare(indexed, model);
};

const inTime = (a: ModelWait, b: ModelWait): number =>
  a.untilMs - b.untilMs || a.cause - b.cause || a.call - b.call;
const places = (waits: readonly { readonly cause: number; readonly call: number }[]): readonly string[] =>
  waits.map(({ cause, call }) => `${cause}/${call}`);

const compare = ({ contents }: IndexedContents, { commands, waits: all, ...model }: Model): void => {
  const { waits, signals } = contents;
  const ordered = [...all].sort(inTime);
  const ending = ordered.filter(({ untilMs }) => untilMs < NEVER);
  assert.equal(waits.size, all.length);
  assert.equal(waits.nextMs, ending[0]?.untilMs ?? Number.POSITIVE_INFINITY);
  for (const at of [0, 3_000, 9_000]) {
    const due = ordered.filter(({ untilMs }) => untilMs <= at);
    for (const limit of [1, 3, 1_000])
      assert.deepEqual(places(waits.due(at, limit)), places(due.slice(0, limit)));
  }
  for (const module of MODULES) {
    const own = all.filter((each) => each.module === module);
    assert.equal(waits.countOf(module), own.length);
    assert.equal(waits.nextOf(module), ending.find((each) => each.module === module)?.untilMs);
  }
  for (const cause of commands.keys()) {
    const own = all.filter((each) => each.cause === cause).sort((a, b) => a.call - b.call);
    assert.deepEqual(
      contents.commands
        .waitsOf(cause)
        .map(({ call, untilMs, signal, promise }) => [call, untilMs, signal?.name, promise]),
      own.map(({ call, untilMs, signal, promise }) => [call, untilMs, signal, promise]),
    );
  }
  const awaited = new Set<string>();
  for (const module of MODULES)
    for (const agent of AGENTS)
      for (const name of NAMES) {
        const address = `${module}/${agent}/${name}`;
        const kept = model.signals.filter((each) => each.address === address).map(({ seq }) => seq);
        const own = all
          .filter((each) => each.module === module && each.agent === agent && each.signal === name)
          .sort((a, b) => a.cause - b.cause || a.call - b.call);
        if (own.length > 0) awaited.add(address);
        for (const limit of [1, 1_000]) {
          assert.deepEqual(signals.keptOf({ module, agent, name }, limit), kept.slice(0, limit));
          assert.deepEqual(
            places(signals.awaitingOf({ module, agent, name }, limit)),
            places(own.slice(0, limit)),
          );
        }
      }
  assert.deepEqual(
    new Set(signals.awaiting.addresses().map(({ module, agent, name }) => `${module}/${agent}/${name}`)),
    awaited,
  );
};

test('I6 whatever is written and whatever is not, the index knows the waits and signals that lists in memory would', async () => {
  await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), run), {
    numRuns: byForm({ short: 12, deep: 200 }),
  });
});
