import { createPrivateKey, createPublicKey, type KeyObject, randomBytes, sign } from 'node:crypto';
import type { Authenticator } from 'nats';

/**
 * Keys of NATS users. A connection signs the server's nonce with its key. Node's Ed25519 does that in less than a
 * millisecond. The client's library computes in JavaScript, and a new process spends 80 ms on its first signature.
 *
 * The texts are those of https://github.com/nats-io/nkeys: base32 of the prefixes, 32 bytes, and a CRC-16.
 */
export interface UserKey {
  /** `U…`: what the server's configuration has. */
  readonly publicKey: string;
  /** The secret: `SU…`. Its holder is the user. */
  readonly seed: string;
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
/** The first five bits of a text are its first letter: U for a user, S for a seed. */
const USER = 20 << 3;
const SEED = 18 << 3;
const KEY_BYTES = 32;

/** CRC-16/XMODEM. */
const checksum = (bytes: Uint8Array): number => {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ 0x1021;
  }
  return crc & 0xffff;
};

const base32 = (bytes: Uint8Array): string => {
  const bits = Array.from(bytes, (byte) => byte.toString(2).padStart(8, '0')).join('');
  return (bits.match(/.{1,5}/g) ?? [])
    .map((five) => ALPHABET[Number.parseInt(five.padEnd(5, '0'), 2)])
    .join('');
};

const fromBase32 = (text: string): Uint8Array => {
  const bits = Array.from(text, (letter) => {
    const value = ALPHABET.indexOf(letter);
    if (value < 0) throw new Error('it has a character that is not in base32');
    return value.toString(2).padStart(5, '0');
  }).join('');
  return Uint8Array.from(bits.match(/.{8}/g) ?? [], (eight) => Number.parseInt(eight, 2));
};

const textOf = (prefix: readonly number[], key: Uint8Array): string => {
  const bytes = Uint8Array.from([...prefix, ...key]);
  const crc = checksum(bytes);
  return base32(Uint8Array.from([...bytes, crc & 0xff, crc >> 8]));
};

/** The prefix of a seed says also whose seed it is. Three of those bits are in its first byte. */
const SEED_PREFIX = [SEED | (USER >> 5), (USER & 31) << 3];

const privateBytes = (seed: string): Uint8Array => {
  const bytes = fromBase32(seed);
  const body = bytes.subarray(0, -2);
  const [first, second] = SEED_PREFIX;
  if (body.length !== KEY_BYTES + 2 || body[0] !== first || body[1] !== second)
    throw new Error('it is not the seed of a NATS user: that has 58 characters and begins with SU');
  if (checksum(body) !== (bytes.at(-2) ?? 0) + ((bytes.at(-1) ?? 0) << 8))
    throw new Error('a character of the seed is wrong: its checksum differs');
  return body.subarray(2);
};

/** RFC 8410: what stands before the 32 bytes of an Ed25519 key. */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');

const privateKey = (seed: string): KeyObject =>
  createPrivateKey({ key: Buffer.concat([PKCS8, privateBytes(seed)]), format: 'der', type: 'pkcs8' });

const publicText = (key: KeyObject): string => {
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' });
  return textOf([USER], spki.subarray(-KEY_BYTES));
};

/** The public half of a seed. Throws an error that says what is wrong with the seed. */
export const publicKeyOf = (seed: string): string => publicText(privateKey(seed));

export const newUserKey = (): UserKey => {
  const seed = textOf(SEED_PREFIX, randomBytes(KEY_BYTES));
  return { seed, publicKey: publicKeyOf(seed) };
};

/** Makes a connection that of the seed's user. Throws an error that says what is wrong with the seed. */
export const authenticatorOf = (seed: string): Authenticator => {
  const key = privateKey(seed);
  const nkey = publicText(key);
  return (nonce) => ({
    nkey,
    sig: nonce === undefined ? '' : sign(null, Buffer.from(nonce), key).toString('base64'),
  });
};
