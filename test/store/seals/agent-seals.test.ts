import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import * as E from 'fp-ts/lib/Either.js';
import { hasSealed, SEALED_NAME } from '../../../schemas/sealed-value.js';
import { writeJson } from '../../../schemas/write-json.js';
import { AgentSeals } from '../../../store/seals/agent-seals.js';
import { KeyTree } from '../../../store/seals/key-tree.js';
import { markedSample, SECRET } from '../../schemas/sensitive-schema.js';
import { byForm } from '../../support/form.js';

const RUNS = byForm({ short: 300, deep: 1_500, full: 20_000 });
const TREE = KeyTree.make();
const seals = new AgentSeals('vault', TREE.text);
const bytesOf = (value: unknown): Uint8Array => new TextEncoder().encode(writeJson(value));
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const got = <T>(outcome: E.Either<unknown, T>): T => {
  if (E.isLeft(outcome)) throw new Error(JSON.stringify(outcome.left));
  return outcome.right;
};

describe('sealed payloads', () => {
  it('hide every marked value of generated schemas, and give the same bytes back', () => {
    let hidden = 0;
    const payload = fc.tuple(markedSample, fc.constantFrom('', ' ', '\n\t'));
    fc.assert(
      fc.property(payload, ([{ schema, value }, blank]) => {
        const bytes = bytesOf(value);
        const spaced = Buffer.concat([Buffer.from(blank), bytes, Buffer.from(blank)]);
        const sealed = got(seals.seal('alice', 'cmd.put', spaced, schema));
        assert.ok(!textOf(sealed).includes(SECRET), textOf(sealed));
        JSON.parse(textOf(sealed));
        assert.deepEqual(Buffer.from(got(seals.open('alice', sealed))), spaced);
        if (textOf(bytes).includes(SECRET)) hidden += 1;
      }),
      { numRuns: RUNS, seed: 20 },
    );
    assert.ok(hidden > RUNS / 20, `${hidden} payloads had a secret`);
  });

  it('hide a secret also where the payload does not fit the schema', () => {
    const card = { type: 'object', properties: { number: { type: 'string', sensitive: true } } };
    const schema = { type: 'object', properties: { card, list: { type: 'array', items: card }, free: {} } };
    const misfits = [
      { card: SECRET },
      { card: [SECRET] },
      { card: { nmber: SECRET } },
      { crad: { number: SECRET } },
      { list: { number: SECRET } },
      { list: SECRET },
      { list: [[SECRET]] },
      [SECRET],
      SECRET,
      { card: { number: { inner: SECRET } } },
      { free: { number: SECRET } },
    ];
    for (const misfit of misfits) {
      const sealed = got(seals.seal('alice', 'cmd.put', bytesOf(misfit), schema));
      assert.ok(!textOf(sealed).includes(SECRET), JSON.stringify(misfit));
      assert.equal(textOf(got(seals.open('alice', sealed))), writeJson(misfit));
    }
    const odd = ['no json ', '{"card":{"number":"', '\u0000', '{"card":1,}', `${'['.repeat(2_000)}${'"'}`];
    for (const text of odd) {
      const bytes = Buffer.concat([Buffer.from(text + SECRET), Buffer.from([0xff, 0xfe])]);
      const sealed = got(seals.seal('alice', 'cmd.put', bytes, schema));
      assert.ok(!textOf(sealed).includes(SECRET), text.slice(0, 20));
      assert.deepEqual(Buffer.from(got(seals.open('alice', sealed))), bytes);
    }
  });

  it('a sender cannot have a value opened that was encrypted for another payload', () => {
    const schema = { type: 'object', properties: { pin: { sensitive: true }, note: { type: 'string' } } };
    const sealed = textOf(got(seals.seal('alice', 'cmd.put', bytesOf({ pin: SECRET }), schema)));
    const stolen = (JSON.parse(sealed) as { readonly pin: unknown }).pin;
    // In a part that is stored as it is, it is refused, in whatever schema.
    const replayed = { properties: { note: { properties: { [SEALED_NAME]: {} } } } };
    for (const asked of [replayed, undefined]) {
      const refused = seals.seal('alice', 'cmd.put', bytesOf({ note: stolen }), asked);
      assert.equal(E.isLeft(refused) && refused.left.code, 'PAYLOAD_INVALID');
    }
    // In a part that is encrypted, it is a value like another, and comes back as it was sent.
    const again = got(seals.seal('alice', 'cmd.put', bytesOf({ pin: stolen }), schema));
    assert.deepEqual(JSON.parse(textOf(got(seals.open('alice', again)))), { pin: stolen });
    // Another spelling of the name is no sealed value.
    const spelled = Buffer.from(JSON.stringify({ note: stolen }).replace('tallystick:', 'tallystick\\u003a'));
    assert.ok(!hasSealed(spelled));
    assert.deepEqual(got(seals.open('alice', spelled)), spelled);
  });

  it('the key of another agent, module or tree opens nothing', () => {
    const sealed = got(seals.seal('alice', 'cmd.put', bytesOf(SECRET), { sensitive: true }));
    const others = [
      [seals, 'bob'],
      [new AgentSeals('safe', TREE.text), 'alice'],
      [new AgentSeals('vault', KeyTree.make().text), 'alice'],
    ] as const;
    for (const [other, agent] of others) {
      const opened = other.open(agent, sealed);
      assert.equal(E.isLeft(opened) && opened.left.code, 'SEALED');
    }
    const at = sealed.length - 30;
    const changed = Buffer.from(sealed);
    changed[at] = changed[at] === 65 ? 66 : 65;
    const broken = seals.open('alice', changed);
    assert.equal(E.isLeft(broken) && broken.left.code, 'SEALED');
  });

  it('the same value of the same kind gives the same bytes, and of another kind others', () => {
    const of = (agent: string, kind: string): string =>
      textOf(got(seals.seal(agent, kind, bytesOf(SECRET), { sensitive: true })));
    assert.equal(of('alice', 'cmd.put'), of('alice', 'cmd.put'));
    assert.notEqual(of('alice', 'cmd.put'), of('alice', 'evt.kept'));
    assert.notEqual(of('alice', 'cmd.put'), of('bob', 'cmd.put'));
  });
});

describe('the tree of keys', () => {
  it('without some agents, has the keys of all others, and theirs never again', () => {
    const names = fc.uniqueArray(fc.stringMatching(/^[A-Za-z0-9_-]{1,12}$/), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(names, fc.nat(), (agents, draw) => {
        const whole = KeyTree.make();
        const erased = agents.filter((_, i) => (draw >> i) % 2 === 1);
        let tree = whole;
        for (const agent of erased) {
          tree = tree.without(agent);
          // In a file and out of it, and twice.
          tree = KeyTree.read(JSON.parse(JSON.stringify(tree.without(agent).text)));
        }
        const lost = new Set(erased.map((agent) => whole.key(agent)?.toString('base64')));
        const { nodes } = tree.text;
        for (const agent of agents) {
          const isErased = erased.includes(agent);
          assert.equal(tree.isErased(agent), isErased);
          assert.deepEqual(tree.key(agent), isErased ? undefined : whole.key(agent));
        }
        // Neither a key that is destroyed nor a node above it is left.
        for (const node of Object.values(nodes)) assert.ok(!lost.has(node));
        if (erased.length > 0) assert.ok(!Object.hasOwn(nodes, ''));
        const paths = Object.keys(nodes);
        for (const path of paths)
          assert.ok(
            !paths.some((other) => other !== path && other.startsWith(path)),
            `${path} is above another`,
          );
      }),
      { numRuns: RUNS / 10, seed: 20 },
    );
  });
});
