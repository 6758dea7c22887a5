import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isLeft, isRight } from 'fp-ts/lib/Either.js';
import {
  DEFAULT_LIMITS,
  limitsOf,
  type Manifest,
  parseManifest,
  schemaOf,
  takesAgent,
} from '../../schemas/manifest.js';

const action = { input: { type: 'object' }, output: true };
const usable = {
  name: 'ledger',
  version: '1.0.0',
  description: 'Keeps a ledger.',
  actions: { post: action },
  events: { posted: { data: { type: 'object' } } },
  start: { entry: './index.js' },
};

const withAction = (name: string, value: unknown) => ({ ...usable, actions: { [name]: value } });
const withInput = (input: unknown) => withAction('post', { ...action, input });
/** Made without recursion: a newer Node has less stack. */
const nested = (depth: number): unknown => {
  let schema: unknown = {};
  for (let i = 0; i < depth; i++) schema = { not: schema };
  return schema;
};
const { name: _name, ...nameless } = usable;

test('a manifest that can be used is accepted as it stands', () => {
  const full = {
    ...usable,
    $schema: './manifest.schema.json',
    schema: 2,
    dependencies: { accounts: ['withdraw'] },
    limits: { heapMb: 64, crashes: 3 },
    actions: {
      post: { ...action, agent: 'none', callers: 'self', concurrency: 5, deadlineMs: 1000, description: 'x' },
    },
    start: { command: ['python3', 'ledger.py'] },
  };
  for (const manifest of [usable, full]) {
    const parsed = parseManifest(manifest);
    assert(isRight(parsed));
    assert.equal(parsed.right, manifest);
  }
});

const WRONG: readonly (readonly [what: string, manifest: unknown, path: string])[] = [
  ['no object', 'ledger', ''],
  ['null', null, ''],
  ['an array', [], ''],
  ['no name', nameless, ''],
  ['a name that is no name', { ...usable, name: 'my ledger' }, '/name'],
  ['a name with a dot', { ...usable, name: 'my.ledger' }, '/name'],
  ['a name of 65 characters', { ...usable, name: 'a'.repeat(65) }, '/name'],
  ['a reserved name', { ...usable, name: 'guest' }, '/name'],
  ['a name of the broker', { ...usable, name: '_ledger' }, '/name'],
  ['a version that is no version', { ...usable, version: '1.0' }, '/version'],
  ['a schema version of 0', { ...usable, schema: 0 }, '/schema'],
  ['a schema version that is a text', { ...usable, schema: '2' }, '/schema'],
  ['a schema version that no snapshot could have', { ...usable, schema: 65_536 }, '/schema'],
  ['a description that is no text', { ...usable, description: 1 }, '/description'],
  ['a property that is not known', { ...usable, action: {} }, '/action'],
  ['neither action nor event', { ...usable, actions: {}, events: {} }, '/actions'],
  ['actions that are a list', { ...usable, actions: [action] }, '/actions'],
  ['an action with a dot', withAction('post.now', action), '/actions/post.now'],
  ['an action with a blank', withAction('post now', action), '/actions/post now'],
  ['an action with a wildcard', withAction('*', action), '/actions/*'],
  ['an action without a name', withAction('', action), '/actions/'],
  ['an action with a slash', withAction('a/b', action), '/actions/a~1b'],
  ['an action that is too long', withAction('a'.repeat(65), action), `/actions/${'a'.repeat(65)}`],
  ['an action that is no object', withAction('post', true), '/actions/post'],
  ['an action without output', withAction('post', { input: {} }), '/actions/post'],
  ['an action with a typo', withAction('post', { ...action, caller: 'self' }), '/actions/post/caller'],
  ['callers that are not known', withAction('post', { ...action, callers: 'me' }), '/actions/post/callers'],
  ['an agent that is neither', withAction('post', { ...action, agent: 'optional' }), '/actions/post/agent'],
  ['no concurrency', withAction('post', { ...action, concurrency: 0 }), '/actions/post/concurrency'],
  [
    'a deadline above a day',
    withAction('post', { ...action, deadlineMs: 86_400_001 }),
    '/actions/post/deadlineMs',
  ],
  ['an event with a dot', { ...usable, events: { 'a.b': { data: {} } } }, '/events/a.b'],
  ['an event without data', { ...usable, events: { posted: {} } }, '/events/posted'],
  ['a dependency with a dot', { ...usable, dependencies: { 'a.b': ['x'] } }, '/dependencies/a.b'],
  ['a dependency on what is no name', { ...usable, dependencies: { a: ['x y'] } }, '/dependencies/a/0'],
  ['a dependency on itself', { ...usable, dependencies: { ledger: ['post'] } }, '/dependencies/ledger'],
  ['a limit that is not known', { ...usable, limits: { heap: 64 } }, '/limits/heap'],
  ['a limit out of range', { ...usable, limits: { heapMb: 1 } }, '/limits/heapMb'],
  ['an empty command', { ...usable, start: { command: [] } }, '/start'],
  ['two ways to start', { ...usable, start: { entry: './index.js', command: ['x'] } }, '/start/command'],
  ['a schema that is a text', withInput('object'), '/actions/post/input'],
  ['a schema that is a list', withInput([]), '/actions/post/input'],
  ['a type with a typo', withInput({ type: 'int' }), '/actions/post/input/type'],
  ['a type in a list with a typo', withInput({ type: ['string', 'nil'] }), '/actions/post/input/type'],
  ['properties that are a list', withInput({ properties: ['a'] }), '/actions/post/input/properties'],
  [
    'an inner typo',
    withInput({ properties: { a: { type: 'strin' } } }),
    '/actions/post/input/properties/a/type',
  ],
  [
    'a typo below a slash',
    withInput({ properties: { 'a/b': { type: 1 } } }),
    '/actions/post/input/properties/a~1b/type',
  ],
  [
    'a typo among alternatives',
    withInput({ anyOf: [{}, { type: 'x' }] }),
    '/actions/post/input/anyOf/1/type',
  ],
  ['alternatives that are no list', withInput({ oneOf: {} }), '/actions/post/input/oneOf'],
  ['a typo in items', withInput({ items: { type: 'x' } }), '/actions/post/input/items/type'],
  [
    'a typo in prefixItems',
    withInput({ prefixItems: [{ type: 'x' }] }),
    '/actions/post/input/prefixItems/0/type',
  ],
  ['a typo behind else', withInput({ if: true, else: { type: 'x' } }), '/actions/post/input/else/type'],
  ['a minimum that is a text', withInput({ minimum: '1' }), '/actions/post/input/minimum'],
  ['a length below 0', withInput({ maxLength: -1 }), '/actions/post/input/maxLength'],
  ['required that is a text', withInput({ required: 'a' }), '/actions/post/input/required'],
  ['an enum that is no list', withInput({ enum: {} }), '/actions/post/input/enum'],
  [
    'a pattern that is no expression',
    withInput({ type: 'string', pattern: '[' }),
    '/actions/post/input/pattern',
  ],
  [
    'a pattern that goes back',
    withInput({ type: 'string', pattern: '(a)\\1' }),
    '/actions/post/input/pattern',
  ],
  [
    'a pattern of properties that looks ahead',
    withInput({ patternProperties: { 'a(?=b)': {} } }),
    '/actions/post/input/patternProperties/a(?=b)',
  ],
  ['a schema too deep to compile', withInput(nested(10_000)), `/actions/post/input${'/not'.repeat(65)}`],
  [
    'a typo in an output',
    withAction('post', { ...action, output: { type: 'x' } }),
    '/actions/post/output/type',
  ],
  ['a typo in an event', { ...usable, events: { e: { data: { type: 'x' } } } }, '/events/e/data/type'],
];

for (const [what, manifest, path] of WRONG) {
  test(`a manifest is refused at its place: ${what}`, () => {
    const parsed = parseManifest(manifest);
    assert(isLeft(parsed));
    assert.equal(parsed.left.code, 'MANIFEST_INVALID');
    assert.equal(parsed.left.path, path);
    assert(parsed.left.message.startsWith(`manifest${path} `), parsed.left.message);
  });
}

test('names that every object inherits are names like others', () => {
  for (const name of ['constructor', 'toString', '__proto__']) {
    assert(isRight(parseManifest(withAction(name, action))), name);
    assert(isLeft(parseManifest(withAction(name, { input: {} }))), name);
  }
});

test('limits that a manifest leaves out are the default ones', () => {
  const manifest = { ...usable, limits: { heapMb: 64 } } as Manifest;
  assert.deepEqual(limitsOf(manifest), { ...DEFAULT_LIMITS, heapMb: 64 });
});

test('the schema version of a manifest that says none is 1', () => {
  assert.equal(schemaOf({}), 1);
  assert.equal(schemaOf({ schema: 7 }), 7);
});

test('an action is addressed to an agent unless it says otherwise', () => {
  assert.equal(takesAgent(action), true);
  assert.equal(takesAgent({ ...action, agent: 'required' }), true);
  assert.equal(takesAgent({ ...action, agent: 'none' }), false);
});
