import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import specs from '@asyncapi/specs';
import { Ajv } from 'ajv';
import { asyncApiDocument } from '../../http/asyncapi/asyncapi-document.js';
import type { Manifest } from '../../schemas/manifest.js';
import { PROJECT_ROOT } from '../support/project-root.js';
import { Seeded } from '../support/seeded.js';

const official = new Ajv({ strict: false, validateFormats: false, allErrors: true });
const isAsyncApi = official.compile(specs.schemasWithoutId['3.0.0'] as object);

const shipped = (name: string): Manifest =>
  JSON.parse(readFileSync(join(PROJECT_ROOT, 'dist', 'modules', name, 'manifest.json'), 'utf8')) as Manifest;

/** Each `$ref` of the document, and what it leads to. */
const refsIn = (document: unknown): readonly (readonly [ref: string, found: unknown])[] => {
  const found: (readonly [string, unknown])[] = [];
  const walk = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    const { $ref } = value as { readonly $ref?: unknown };
    if (typeof $ref === 'string') {
      let at: unknown = document;
      for (const part of $ref.slice('#/'.length).split('/'))
        at = (at as Readonly<Record<string, unknown>> | undefined)?.[part];
      found.push([$ref, at]);
    }
    for (const each of Object.values(value)) walk(each);
  };
  walk(document);
  return found;
};

const valid = (manifests: readonly Manifest[], what: string) => {
  const document = asyncApiDocument({ version: '1.2.3', url: 'nats://127.0.0.1:4222', manifests });
  assert.ok(
    isAsyncApi(JSON.parse(JSON.stringify(document))),
    `${what}: ${official.errorsText(isAsyncApi.errors)}`,
  );
  for (const [ref, found] of refsIn(document)) assert.notEqual(found, undefined, `${what}: ${ref}`);
  return document as {
    readonly channels: Readonly<Record<string, { readonly address: string }>>;
    readonly operations: Readonly<Record<string, { readonly action: string }>>;
  };
};

const random = new Seeded(Date.now());
const SCHEMAS = [
  {},
  { type: 'object', properties: { a: { type: 'integer', minimum: 1 } }, required: ['a'] },
  { anyOf: [{ type: 'string' }, { type: 'null' }] },
  { type: 'array', items: { type: 'object', additionalProperties: false } },
  { const: null },
  { enum: ['a', 1, null] },
  { type: 'string', sensitive: true, pattern: '^a+$' },
];

/** Manifests of all kinds: names at their limits, no actions, no events, actions for the module alone. */
const generated = (): Manifest => {
  const name = random.pick(['a', 'A-1_b', 'x'.repeat(64), 'constructor']);
  const schema = (): unknown => random.pick(SCHEMAS);
  const actions = Array.from({ length: random.int(0, 3) }, (_, i) => [
    random.pick(['do', '_', `act-${i}`]),
    {
      input: schema(),
      output: schema(),
      ...random.pick([{}, { agent: 'none' }, { callers: 'self' }, { description: 'does "it"' }]),
    },
  ]);
  const events = Array.from({ length: random.int(0, 3) }, (_, i) => [`event-${i}`, { data: schema() }]);
  return { name, actions: Object.fromEntries(actions), events: Object.fromEntries(events) } as never;
};

describe('the AsyncAPI document', () => {
  test('is valid by the official schema, and has the subjects of shipped modules', () => {
    const { channels, operations } = valid([shipped('accounts'), shipped('orders')], 'shipped modules');
    const addresses = Object.values(channels).map(({ address }) => address);
    for (const address of [
      'call.accounts.deposit.{agent}',
      'cmd.accounts.deposit.{agent}',
      'live.evt.accounts.deposited.{agent}',
      'state.orders.{agent}',
      'result.{sequence}',
    ])
      assert.ok(addresses.includes(address), `${address} of ${addresses.join(' ')}`);
    assert.equal(operations['call-accounts-deposit']?.action, 'receive');
    assert.equal(operations['event-accounts-deposited']?.action, 'send');
  });

  test(`is valid for any modules; seed ${random.seed}`, () => {
    for (let i = 0; i < 100; i++) {
      const manifests = Array.from({ length: random.int(0, 3) }, generated);
      valid(manifests, JSON.stringify(manifests));
    }
  });
});
