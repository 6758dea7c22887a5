import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';
import { existsSync } from 'node:fs';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { makeFileOnce } from '../../system/files/durable-file.js';
import { MAX_KEY_BYTES, readBounded } from '../../system/files/bounded-file.js';
import { type Fault, fault } from '../../schemas/errors.js';

/** SPKI of an Ed25519 key is this and the 32 bytes of the key. */
const SPKI_START = Buffer.from('302a300506032b6570032100', 'hex');
const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;

/** Of the data directory, unless another file is named. */
export const CERTIFICATE_KEY_FILE = 'certificates.key';

/** The key that certificates are signed with. */
export interface SigningKey {
  /** 32 bytes, base64. */
  readonly publicKey: string;
  readonly sign: (text: string) => string;
}

const rawOf = (key: KeyObject): string =>
  createPublicKey(key).export({ type: 'spki', format: 'der' }).subarray(SPKI_START.length).toString('base64');

const signingKey = (key: KeyObject): SigningKey => ({
  publicKey: rawOf(key),
  sign: (text) => sign(null, Buffer.from(text), key).toString('base64'),
});

const unusable = (path: string, error: unknown): Fault =>
  fault('USAGE', `the signing key ${path} cannot be used: ${(error as Error).message}`);

const newKeyText = (): string =>
  generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

/**
 * Reads the key of a PEM file. With `make`, a file that does not exist is made: its owner alone can read it, and
 * processes that make it at the same moment have the same key. USAGE.
 */
export const openSigningKey = (path: string, make: boolean): Either<Fault, SigningKey | undefined> => {
  try {
    if (!existsSync(path)) {
      if (!make) return right(undefined);
      makeFileOnce(path, newKeyText());
    }
    const read = readBounded(path, MAX_KEY_BYTES);
    if (isLeft(read)) throw new Error(read.left);
    const key = createPrivateKey(read.right);
    if (key.asymmetricKeyType !== 'ed25519') throw new Error('it is no Ed25519 key');
    return right(signingKey(key));
  } catch (error) {
    return left(unusable(path, error));
  }
};

/** Whether the owner of a public key (32 bytes, base64) has signed exactly this text. */
export const isSigned = (text: string, publicKey: string, signature: string): boolean => {
  const raw = Buffer.from(publicKey, 'base64');
  const signed = Buffer.from(signature, 'base64');
  if (raw.length !== KEY_BYTES || signed.length !== SIGNATURE_BYTES) return false;
  const key = createPublicKey({ key: Buffer.concat([SPKI_START, raw]), format: 'der', type: 'spki' });
  return verify(null, Buffer.from(text), key, signed);
};
