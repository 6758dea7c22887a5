import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Manifest } from '../../schemas/manifest.js';
import { Masks } from '../../schemas/masks.js';
import { marksOf, NO_MARKS, unitedMarks } from '../../schemas/sensitive.js';
import { byForm } from '../support/form.js';
import { type MarkedSample, markedSample, SECRET, SHOWN } from './sensitive-schema.js';

const RUNS = byForm({ short: 1_000, deep: 5_000, full: 20_000 });

const encoder = new TextEncoder();
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const count = (where: string, what: string): number => where.split(what).length - 1;

const manifest = (schema: object, more: object = {}): Manifest =>
  ({
    name: 'vault',
    version: '1.0.0',
    description: 'x',
    actions: { put: { input: schema, output: schema } },
    events: { kept: { data: schema } },
    start: { entry: './index.js' },
    ...more,
  }) as Manifest;

const masksOf = (schema: object): Masks => new Masks({ vault: marksOf(manifest(schema)) });

const resultOf = ({ value }: MarkedSample): object => ({
  status: 'ok',
  data: value,
  out: [
    { subject: 'evt.vault.kept.a', id: 'x', data: value },
    { data: value, subject: 'cmd.vault.put.b', id: 'y' },
  ],
});

describe('masks', () => {
  it('no sensitive value of a generated schema shows in a command, an event or a result, and the rest stays', () => {
    fc.assert(
      fc.property(markedSample, fc.boolean(), (sample, isIndented) => {
        const masks = masksOf(sample.schema);
        const bytes = (value: unknown): Uint8Array =>
          encoder.encode(JSON.stringify(value, null, isIndented ? 2 : 0));
        const payload = bytes(sample.value);
        const shown = [
          text(masks.bytes('cmd.vault.put.a.guest', payload)),
          text(masks.bytes('evt.vault.kept.a', payload)),
          text(masks.bytes('res.vault.put.a', bytes(resultOf(sample)))),
          JSON.stringify(masks.event('vault', 'kept', sample.value) ?? null),
        ];
        for (const each of shown) {
          assert.ok(!each.includes(SECRET), each);
          JSON.parse(each);
        }
        if (sample.isExact) assert.equal(count(shown[0] ?? '', SHOWN), count(text(payload), SHOWN));
      }),
      { numRuns: RUNS },
    );
  });

  it('a path that an older version marked stays hidden', () => {
    fc.assert(
      fc.property(markedSample, markedSample, (old, now) => {
        const united = unitedMarks(marksOf(manifest(old.schema)), marksOf(manifest(now.schema)));
        const masks = new Masks({ vault: united });
        for (const { value } of [old, now]) {
          const bytes = encoder.encode(JSON.stringify(value));
          assert.ok(!text(masks.bytes('cmd.vault.put.a.guest', bytes)).includes(SECRET));
        }
        assert.deepEqual(unitedMarks(united, united), united);
      }),
      { numRuns: RUNS / 4 },
    );
  });

  it('all other bytes stay as they are: numbers, blanks and names', () => {
    const masks = masksOf({ properties: { pin: { sensitive: true } } });
    const stored = '{ "n": 9007199254740993, "pin" : "1234", "m": 1.0, "pin": "5678" }';
    assert.equal(
      text(masks.bytes('cmd.vault.put.a.guest', encoder.encode(stored))),
      '{ "n": 9007199254740993, "pin" : "(sensitive)", "m": 1.0, "pin": "(sensitive)" }',
    );
  });

  it('a payload that is no JSON is hidden as a whole if its action marks anything, and no other', () => {
    const masks = masksOf({ properties: { pin: { sensitive: true } } });
    const odd = encoder.encode('pin=1234');
    assert.equal(text(masks.bytes('cmd.vault.put.a.guest', odd)), '"(sensitive)"');
    assert.equal(text(masks.bytes('cmd.vault.other.a.guest', odd)), 'pin=1234');
    assert.equal(text(masks.bytes('cmd.other.put.a.guest', odd)), 'pin=1234');
    assert.equal(text(masks.bytes('res.other.put.a', odd)), 'pin=1234');
  });

  it('a command that a module without marks sends is hidden in its result', () => {
    const masks = masksOf({ properties: { pin: { sensitive: true } } });
    const result = {
      status: 'ok',
      data: 1,
      out: [{ subject: 'cmd.vault.put.b', id: 'x', data: { pin: '1234' } }],
    };
    const shown = text(masks.bytes('res.shop.sell.a', encoder.encode(JSON.stringify(result))));
    assert.match(shown, /"pin":"\(sensitive\)"/);
  });

  it('a reference that leads nowhere and a recursive schema hide rather too much', () => {
    assert.match(
      text(
        masksOf({ $ref: 'Nowhere', sensitive: false, x: { sensitive: true } }).input(
          'vault',
          'put',
          encoder.encode('{"a":1}'),
        ),
      ),
      /^"\(sensitive\)"$/,
    );
    const tree = { properties: { pin: { sensitive: true }, next: { $ref: '#' } } };
    let value: object = { pin: SECRET };
    for (let i = 0; i < 400; i++) value = { pin: SECRET, next: value, shown: SHOWN };
    const shown = text(masksOf(tree).input('vault', 'put', encoder.encode(JSON.stringify(value))));
    assert.ok(!shown.includes(SECRET));
    assert.equal(count(shown, SHOWN), 400);
  });

  it('paths hide parts of a state, and changes at, above and below them', () => {
    const marks = marksOf(manifest({}, { sensitive: ['card.number', 'orders.*.email'] }));
    const masks = new Masks({ vault: marks });
    const state = { card: { number: '4111', kind: 'x' }, orders: [{ email: 'a@b', sku: 1 }], free: 4 };
    assert.deepEqual(masks.state('vault', state), {
      card: { number: '(sensitive)', kind: 'x' },
      orders: [{ email: '(sensitive)', sku: 1 }],
      free: 4,
    });
    const change = (path: readonly (string | number)[], to: unknown): unknown =>
      masks.stateChange('vault', path, { to }).to;
    assert.equal(change(['card', 'number'], '4111'), '(sensitive)');
    assert.deepEqual(change(['card'], { number: '4111' }), { number: '(sensitive)' });
    assert.equal(change(['card', 'number', 'part'], '4111'), '(sensitive)');
    assert.equal(change(['orders', 7, 'email'], 'a@b'), '(sensitive)');
    assert.equal(change(['free'], 4), 4);
    assert.deepEqual(masks.state('other', state), state);
  });

  it('a module without marks has none', () => {
    assert.deepEqual(marksOf(manifest({ properties: { sensitive: { type: 'string' } } })), NO_MARKS);
  });
});
