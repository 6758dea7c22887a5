import { createPrivateKey, X509Certificate } from 'node:crypto';
import { statSync } from 'node:fs';
import * as E from 'fp-ts/lib/Either.js';
import { certificateTime } from '../../schemas/instant.js';
import { type Fault, fault } from '../../schemas/errors.js';
import type { Listen } from '../../schemas/listen.js';
import { readBounded } from '../files/bounded-file.js';

/** Where the files of TLS are. */
export type ServedTlsPaths = Pick<Listen, 'cert' | 'key' | 'ca'>;

/** The contents of the files of TLS. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
  readonly ca?: string;
}

/** A chain of certificates, or a list of authorities, has some kilobytes. */
const MAX_BYTES = 1024 * 1024;

const unusable = (path: string, why: string): E.Either<Fault, never> =>
  E.left(fault('TLS_FAILED', `${path} cannot be used: ${why}`));

const textOf = (path: string): E.Either<Fault, string> => {
  const read = readBounded(path, MAX_BYTES);
  return E.isLeft(read) ? unusable(path, read.left) : E.right(read.right.toString('utf8'));
};

const certificateIn = (path: string, pem: string): E.Either<Fault, X509Certificate> => {
  try {
    return E.right(new X509Certificate(pem));
  } catch (error) {
    return unusable(path, `it has no certificate in PEM (${(error as Error).message})`);
  }
};

const validNow = (
  path: string,
  { validFrom, validTo }: X509Certificate,
  now: number,
): E.Either<Fault, void> => {
  if (now > certificateTime(validTo)) return unusable(path, `the certificate expired at ${validTo}`);
  if (now < certificateTime(validFrom))
    return unusable(path, `the certificate is valid from ${validFrom} on`);
  return E.right(undefined);
};

/** Reads the files. TLS_FAILED names the one that cannot be used, and why: before any client finds it out. */
export const readTlsFiles = (
  { cert, key, ca }: ServedTlsPaths,
  now = Date.now(),
): E.Either<Fault, TlsFiles> => {
  const certText = textOf(cert);
  if (E.isLeft(certText)) return certText;
  const certificate = certificateIn(cert, certText.right);
  if (E.isLeft(certificate)) return certificate;
  const valid = validNow(cert, certificate.right, now);
  if (E.isLeft(valid)) return valid;
  const keyText = textOf(key);
  if (E.isLeft(keyText)) return keyText;
  try {
    if (!certificate.right.checkPrivateKey(createPrivateKey(keyText.right)))
      return unusable(key, `it is not the key of the certificate in ${cert}`);
  } catch (error) {
    return unusable(key, `it has no key in PEM without a passphrase (${(error as Error).message})`);
  }
  const files = { cert: certText.right, key: keyText.right };
  if (ca === undefined) return E.right(files);
  const caText = textOf(ca);
  if (E.isLeft(caText)) return caText;
  const authority = certificateIn(ca, caText.right);
  return E.isLeft(authority) ? authority : E.right({ ...files, ca: caText.right });
};

/** When the certificate in a file ends, RFC 3339; undefined if it cannot be read. */
export const certificateEnd = (path: string): string | undefined => {
  const text = textOf(path);
  if (E.isLeft(text)) return undefined;
  const certificate = certificateIn(path, text.right);
  if (E.isLeft(certificate)) return undefined;
  const end = certificateTime(certificate.right.validTo);
  return Number.isFinite(end) ? new Date(end).toISOString() : undefined;
};

/** Differs when one of the files was replaced. */
export const tlsFilesMark = ({ cert, key, ca }: ServedTlsPaths): string =>
  [cert, key, ...(ca === undefined ? [] : [ca])]
    .map((path) => {
      try {
        const { mtimeMs, ino, size } = statSync(path);
        return `${mtimeMs} ${ino} ${size}`;
      } catch {
        return 'none';
      }
    })
    .join(', ');
