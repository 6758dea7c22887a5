import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isLeft } from 'fp-ts/lib/Either.js';
import fc from 'fast-check';
import { parseManifest } from '../../schemas/manifest.js';
import {
  checkConfigValue,
  configKey,
  configKeys,
  effectiveConfig,
  typedConfigValue,
} from '../../schemas/module-config.js';
import { hiddenTexts } from '../../text/hidden-texts.js';
import { failure, success } from '../support/either.js';

const MANIFEST = {
  name: 'm',
  version: '1.0.0',
  description: 'Has a configuration.',
  actions: { a: { input: {}, output: {} } },
  events: {},
  start: { entry: './index.js' },
};

const TYPES = ['string', 'integer', 'boolean', 'array', 'object'] as const;
const FITTING = { string: 'a text', integer: 7, boolean: true, array: [1], object: { a: 1 } } as const;

/** Keys of each type, some required, some with a default, some secret; and values for some of them, fitting or not. */
const declared = fc.uniqueArray(
  fc.record({
    key: fc.stringMatching(/^[A-Za-z0-9_-]{1,12}$/),
    type: fc.constantFrom(...TYPES),
    isRequired: fc.boolean(),
    hasDefault: fc.boolean(),
    isSecret: fc.boolean(),
    given: fc.option(fc.constantFrom(...TYPES), { nil: undefined }),
  }),
  { selector: ({ key }) => key, maxLength: 6 },
);

describe('the schema of a configuration', () => {
  it('gives a process what is set and the defaults, or the first problem by name', () => {
    fc.assert(
      fc.property(declared, (keys) => {
        const config = {
          type: 'object',
          required: keys.filter(({ isRequired }) => isRequired).map(({ key }) => key),
          properties: Object.fromEntries(
            keys.map(({ key, type, hasDefault, isSecret }) => [
              key,
              {
                type,
                ...(hasDefault && !isSecret ? { default: FITTING[type] } : {}),
                ...(isSecret ? { sensitive: true } : {}),
              },
            ]),
          ),
        };
        const manifest = success(parseManifest({ ...MANIFEST, config: JSON.parse(JSON.stringify(config)) }));
        const values = Object.fromEntries(
          keys.flatMap(({ key, given }) => (given === undefined ? [] : [[key, FITTING[given]]])),
        );
        const lacking = keys.filter(
          ({ isRequired, hasDefault, isSecret, given }) =>
            isRequired && given === undefined && (isSecret || !hasDefault),
        );
        const wrong = keys.filter(({ type, given }) => given !== undefined && given !== type);
        const found = effectiveConfig(manifest, { ...values, unknown_key_of_old: 1 });
        if (lacking.length > 0) {
          assert.equal(failure(found).code, 'CONFIG_MISSING');
          for (const { key } of lacking)
            assert.ok(failure(found).message.includes(`\`tallystick config set m ${key}\``));
        } else if (wrong.length > 0) {
          assert.equal(failure(found).code, 'CONFIG_INVALID');
          assert.ok(wrong.some(({ key }) => failure(found).path === `/${key}`));
        } else {
          const expected = keys.flatMap(({ key, type, hasDefault, isSecret, given }) =>
            given !== undefined || (hasDefault && !isSecret) ? [[key, FITTING[type]]] : [],
          );
          assert.deepEqual({ ...success(found) }, Object.fromEntries(expected));
        }
        assert.deepEqual(
          configKeys(manifest).map(({ key, isSecret }) => [key, isSecret]),
          Object.keys(config.properties).map((key) => [key, keys.find((each) => each.key === key)?.isSecret]),
        );
      }),
    );
  });

  it('no error about a secret has a part of its value', () => {
    const schemas = [
      { type: 'string', minLength: 500 },
      { type: 'string', pattern: '^never$' },
      { enum: ['one', 'two'] },
      { type: 'object', additionalProperties: false },
      { type: 'array', items: { type: 'integer' } },
    ].map((schema) => ({ ...schema, sensitive: true }));
    fc.assert(
      fc.property(fc.constantFrom(...schemas), fc.uuid(), (schema, secret) => {
        const manifest = { name: 'm', config: { type: 'object', properties: { k: schema } } };
        const key = success(configKey(manifest, 'k'));
        for (const value of [secret, { [secret]: secret }, [secret]]) {
          const checked = checkConfigValue(manifest, key, value);
          if (isLeft(checked)) assert.ok(!JSON.stringify(checked.left).includes(secret));
        }
      }),
    );
  });

  it('a secret behind a reference is one, and a default fills in within objects', () => {
    const config = {
      type: 'object',
      $defs: { pass: { type: 'string', sensitive: true } },
      properties: {
        login: { type: 'object', properties: { pass: { $ref: '#/$defs/pass' } } },
        smtp: { type: 'object', properties: { port: { type: 'integer', default: 25 } }, default: {} },
      },
    };
    const manifest = success(parseManifest({ ...MANIFEST, config }));
    assert.deepEqual(
      configKeys(manifest).map(({ isSecret }) => isSecret),
      [true, false],
    );
    assert.deepEqual(success(effectiveConfig(manifest, { smtp: { host: 'a' } })), {
      smtp: { host: 'a', port: 25 },
    });
  });

  const REFUSED: readonly (readonly [object, string])[] = [
    [{ config: { type: 'string' } }, '/config'],
    [{ config: { type: 'object', anyOf: [] } }, '/config/anyOf'],
    [{ config: { type: 'object', properties: { 'a.b': {} } } }, '/config/properties/a.b'],
    [
      { config: { type: 'object', properties: { a: { type: 'integer', default: 'x' } } } },
      '/config/properties/a/default',
    ],
    [
      { config: { type: 'object', properties: { a: { sensitive: true, default: 'x' } } } },
      '/config/properties/a',
    ],
    [{ config: { type: 'object', properties: { a: { type: 'strnig' } } } }, '/config/properties/a/type'],
    [{ configChange: 'live' }, '/configChange'],
  ];
  for (const [change, path] of REFUSED) {
    it(`refuses a manifest with ${JSON.stringify(change)}`, () => {
      const problem = failure(parseManifest({ ...MANIFEST, ...change }));
      assert.equal(problem.code, 'MANIFEST_INVALID');
      assert.equal(problem.path, path, problem.message);
    });
  }

  it('takes a typed text as it is for a text, and as JSON for other types', () => {
    assert.equal(typedConfigValue({ type: 'string' }, '17'), '17');
    assert.equal(typedConfigValue({ enum: ['on', 'off'] }, 'on'), 'on');
    assert.equal(typedConfigValue({ type: 'integer' }, '17'), 17);
    assert.deepEqual(typedConfigValue({ type: 'array' }, '[1,"a"]'), [1, 'a']);
    assert.equal(typedConfigValue({ type: 'integer' }, 'x'), 'x');
  });
});

describe('secrets in a text', () => {
  it('are hidden as they are, within JSON and line by line, however they stand', () => {
    const secret = fc.string({ minLength: 4, maxLength: 40, unit: 'grapheme' });
    fc.assert(
      fc.property(fc.array(secret, { minLength: 1, maxLength: 4 }), fc.string(), (secrets, around) => {
        const hide = hiddenTexts(secrets);
        for (const each of secrets) {
          const inJson = JSON.stringify(each).slice(1, -1);
          for (const text of [`${around}${each}${around}`, JSON.stringify({ a: each })]) {
            const hidden = (hide?.(text) ?? text).replaceAll('(sensitive)', '\u0000');
            assert.ok(!hidden.includes(each) && !hidden.includes(inJson), JSON.stringify([text, hidden]));
          }
        }
      }),
    );
    const pem = '-----BEGIN KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQEF\n-----END KEY-----';
    assert.equal(hiddenTexts([pem])?.('a MIIEvQIBADANBg b'), 'a (sensitive) b');
    assert.equal(hiddenTexts(['abc']), undefined);
  });
});
