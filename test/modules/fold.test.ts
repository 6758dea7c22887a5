import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import * as E from 'fp-ts/lib/Either.js';
import Type from 'typebox';
import { compileFoldable, foldEvents } from '../../modules/sdk/fold.js';
import type { FoldableRecord } from '../../modules/sdk/foldable.js';
import { defineManifest, defineModule } from '../../modules/sdk/index.js';
import type { AnyModule } from '../../modules/sdk/module-shape.js';
import { HEADER } from '../../schemas/headers.js';
import { encodeJson } from '../../schemas/json.js';
import { failure, success } from '../support/either.js';

const Strict = { additionalProperties: false } as const;
const Measured = Type.Object({ path: Type.Array(Type.Integer()) }, Strict);

/** A module in its fourth version: an upcaster says in `path` that it was there. */
const meter = (upcast: unknown, schema = 4): AnyModule =>
  defineModule({
    manifest: defineManifest({
      name: 'meter',
      version: '4.0.0',
      schema,
      description: 'Measures.',
      actions: { measure: { input: true, output: true } },
      events: { measured: { data: Measured }, reset: { data: Type.Object({}, Strict) } },
      start: { entry: './index.js' },
    }),
    initial: [] as number[],
    actions: { measure: { decide: () => E.right({ data: null }) } },
    evolve: { measured: (_state, { path }) => path, reset: () => [] },
    ...(upcast === undefined ? {} : { upcast: upcast as Record<number, never> }),
  }) as unknown as AnyModule;

interface Past {
  readonly path: number[];
}
const passing = (version: number) => ({ measured: ({ path }: Past) => ({ path: [...path, version] }) });
const full = meter({ 3: passing(3), 1: passing(1), 2: passing(2) });

const record = (
  subject: string,
  data: unknown,
  headers: Readonly<Record<string, string>> = {},
): FoldableRecord => ({ seq: 1, time: '', subject, header: (name) => headers[name], data: encodeJson(data) });

const CAUSED = { [HEADER.cause]: '7' };
const result = (out: readonly object[], headers: Readonly<Record<string, string>> = {}): FoldableRecord =>
  record('res.meter.measure.a', { status: 'ok', data: 1, out }, { ...CAUSED, ...headers });
const measured = { subject: 'evt.meter.measured.a', id: '7/1', data: { path: [0] } };
const of = (version: number | string) => ({ [HEADER.schema]: String(version) });

const read = (module: AnyModule, one: FoldableRecord) => success(compileFoldable(module))(one);
const fault = (module: AnyModule, one: FoldableRecord): readonly [string, string] => {
  const { code, message } = failure(read(module, one));
  return [code, message];
};

describe('what a record says of states', () => {
  test('a result says what happened to its agent', () => {
    const { events, ...rest } = success(read(full, result([measured], of(4)))) ?? { events: [] };
    assert.deepEqual(rest, { agent: 'a' });
    assert.deepEqual(events, [{ name: 'measured', data: { path: [0] } }]);
  });

  test('commands that it sends and events of others are none of its own', () => {
    const out = [
      { subject: 'cmd.meter.measure.b', id: '7/1', data: {} },
      { subject: 'evt.other.measured.a', id: '7/2', data: {} },
      measured,
    ];
    assert.equal(success(read(full, result(out, of(4))))?.events.length, 1);
  });

  test('an event without a cause decides itself; one with a cause is a copy', () => {
    const alone = record('evt.meter.reset', {}, of(4));
    assert.deepEqual(success(read(full, alone)), {
      agent: '',
      events: [{ name: 'reset', data: {} }],
    });
    assert.equal(success(read(full, record('evt.meter.reset.a', {}, { ...of(4), ...CAUSED }))), undefined);
  });

  test('commands, epochs, other modules and what is no subject say nothing', () => {
    for (const subject of [
      'cmd.meter.measure.a.guest',
      'epoch.meter',
      'res.other.measure.a',
      'res',
      'evt.x.y',
    ]) {
      assert.equal(success(read(full, record(subject, { status: 'ok' }))), undefined, subject);
    }
  });

  test('a refusal changes nothing, of whatever version it is', () => {
    const body = { status: 'rejected', error: { code: 'NO', message: 'no', retryable: false } };
    for (const version of ['4', '5', 'four']) {
      const refused = record('res.meter.measure.a', body, { ...CAUSED, ...of(version) });
      assert.deepEqual(success(read(full, refused)), { agent: 'a', events: [] });
    }
  });

  test('a result that is none is an error with its subject', () => {
    for (const data of [new TextEncoder().encode('{'), encodeJson(null)]) {
      const broken = { seq: 1, time: '', subject: 'res.meter.measure.a', header: () => undefined, data };
      const [code, message] = fault(full, broken);
      assert.equal(code, 'FOLD_FAILED');
      assert.match(message, /^res\.meter\.measure\.a cannot be read: /);
    }
  });
});

describe('events of older versions', () => {
  const pathOf = (module: AnyModule, one: FoldableRecord): unknown =>
    foldEvents(module, module.initial, success(read(module, one))?.events ?? []);

  test('I6 an event goes through the upcasters of its version and of each later one, in order', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), fc.subarray([1, 2, 3]), (version, there) => {
        const module = meter(Object.fromEntries(there.map((from) => [from, passing(from)])));
        const passed = there.filter((from) => from >= version);
        assert.deepEqual(pathOf(module, result([measured], of(version))), [0, ...passed]);
      }),
    );
  });

  test('a record without a version is of version 1, also an event that decides itself', () => {
    assert.deepEqual(pathOf(full, result([measured])), [0, 1, 2, 3]);
    assert.deepEqual(pathOf(full, record('evt.meter.measured.a', { path: [] })), [1, 2, 3]);
  });

  test('an event without an upcaster, in a module with or without others, did not change', () => {
    const reset = { subject: 'evt.meter.reset.a', id: '7/1', data: {} };
    for (const module of [full, meter(undefined)]) {
      assert.deepEqual(success(read(module, result([reset], of(1))))?.events, [{ name: 'reset', data: {} }]);
    }
  });

  test('a newer version is SCHEMA_TOO_NEW, and what to do is said', () => {
    const [code, message] = fault(full, result([measured], of(5)));
    assert.equal(code, 'SCHEMA_TOO_NEW');
    assert.equal(
      message,
      'res.meter.measure.a is of schema version 5, the code of meter 4.0.0 of 4: ' +
        'load the version of meter that wrote it, or a later one',
    );
  });

  test('a version that is none is not taken for another', () => {
    for (const version of ['0', '01', '1.0', '-1', 'v1', '99999999999999999999']) {
      assert.equal(fault(full, result([measured], of(version)))[0], 'FOLD_FAILED', version);
    }
  });

  test('what does not fit the manifest of today is no state: an upcaster was forgotten, or is wrong', () => {
    const older = { ...measured, data: { steps: [] } };
    const wrong = meter({ 2: { measured: () => ({ path: 'nowhere' }) } });
    const cases: readonly (readonly [AnyModule, object, RegExp])[] = [
      [
        meter(undefined),
        older,
        /^event measured of schema version 2: as version 4 it would not fit: .*required properties path/,
      ],
      [wrong, older, /as version 4 it would not fit: .*\/path must be array/],
      [full, { ...measured, subject: 'evt.meter.forgotten.a' }, /declares no event "forgotten"/],
    ];
    for (const [module, out, words] of cases) {
      const [code, message] = fault(module, result([out], of(2)));
      assert.equal(code, 'FOLD_FAILED');
      assert.match(message, words);
    }
  });

  test('an upcaster that throws is named, whatever it throws', () => {
    for (const thrown of [new Error('what was that?'), null]) {
      const module = meter({
        3: {
          measured: () => {
            throw thrown;
          },
        },
      });
      const [code, message] = fault(module, result([measured], of(1)));
      assert.equal(code, 'FOLD_FAILED');
      assert.match(message, /^event measured of schema version 1: the upcast from version 3 threw: /);
    }
  });
});

describe('what `upcast` of a module may name', () => {
  const WRONG: readonly (readonly [what: string, upcast: unknown, path: string])[] = [
    ['nothing', null, ''],
    ['the version of today', { 4: passing(4) }, '/4'],
    ['a version that was never', { 0: passing(0) }, '/0'],
    ['a version that is no whole number', { '1.5': passing(1) }, '/1.5'],
    ['a version that is written otherwise', { '01': passing(1) }, '/01'],
    ['a word', { first: passing(1) }, '/first'],
    ['a version without events', { 1: 'measured' }, '/1'],
    ['an event that is not declared', { 1: { mesured: (data: never) => data } }, '/1/mesured'],
    ['an event that every object inherits', { 1: { toString: (data: never) => data } }, '/1/toString'],
    ['what is no function', { 2: { measured: { path: [] } } }, '/2/measured'],
  ];
  for (const [what, upcast, path] of WRONG) {
    test(`UPCAST_INVALID at its place: ${what}`, () => {
      const refused = failure(compileFoldable(meter(upcast)));
      assert.deepEqual([refused.code, refused.path], ['UPCAST_INVALID', path]);
      assert.ok(refused.message.startsWith(`meter: upcast${path} `), refused.message);
    });
  }

  test('a module of version 1 has nothing to upcast from', () => {
    assert.equal(failure(compileFoldable(meter({ 1: passing(1) }, 1))).code, 'UPCAST_INVALID');
  });
});

test('a fold of what the module has no code for says which event', () => {
  assert.throws(
    () => foldEvents(full, [], [{ name: 'forgotten', data: {} }]),
    /meter cannot fold event forgotten/,
  );
});
