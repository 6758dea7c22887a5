import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { nkeyAuthenticator, nkeys } from 'nats';
import { authenticatorOf, newUserKey, publicKeyOf } from '../../link/nkey.js';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const theirs = () => new TextDecoder().decode(nkeys.createUser().getSeed());

describe('keys of users', () => {
  it('signs as the library of NATS does, for seeds of both', () => {
    for (const seed of [theirs(), theirs(), newUserKey().seed, newUserKey().seed]) {
      fc.assert(
        fc.property(fc.string({ minLength: 1, maxLength: 64 }), (nonce) => {
          assert.deepEqual(authenticatorOf(seed)(nonce), nkeyAuthenticator(bytesOf(seed))(nonce));
        }),
        { numRuns: 5 },
      );
      assert.equal(publicKeyOf(seed), nkeys.fromSeed(bytesOf(seed)).getPublicKey());
    }
  });

  it('makes a different key each time', () => {
    const all = Array.from({ length: 20 }, () => newUserKey());
    assert.equal(new Set(all.map(({ seed }) => seed)).size, 20);
    assert.ok(
      all.every(({ seed, publicKey }) => /^SU[A-Z2-7]{56}$/.test(seed) && /^U[A-Z2-7]{55}$/.test(publicKey)),
    );
  });

  it('refuses a seed with a wrong character anywhere', () => {
    const { seed } = newUserKey();
    fc.assert(
      fc.property(
        fc.nat({ max: seed.length - 2 }),
        fc.constantFrom(...'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567018 ab='),
        (at, letter) => {
          fc.pre(seed[at] !== letter);
          assert.throws(() => publicKeyOf(seed.slice(0, at) + letter + seed.slice(at + 1)), Error);
        },
      ),
    );
  });

  it('refuses seeds of other kinds, and other lengths', () => {
    const account = new TextDecoder().decode(nkeys.createAccount().getSeed());
    for (const seed of [account, '', 'SU', newUserKey().publicKey, newUserKey().seed.slice(0, -8)])
      assert.throws(() => authenticatorOf(seed), /it is not the seed of a NATS user/);
  });

  it('signs nothing without a nonce', () => {
    const { seed, publicKey } = newUserKey();
    assert.deepEqual(authenticatorOf(seed)(), { nkey: publicKey, sig: '' });
  });
});
