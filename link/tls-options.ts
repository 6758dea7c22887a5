import { isIP } from 'node:net';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { TlsOptions } from 'nats';
import { type Fault, fault } from '../schemas/errors.js';
import { MAX_KEY_BYTES, readBounded } from '../system/files/bounded-file.js';
import type { Target } from './target.js';

/** A list of authorities can be long. */
const MAX_CA_BYTES = 16 * MAX_KEY_BYTES;

const pem = (path: string | undefined, maxBytes: number): Either<Fault, string | undefined> => {
  if (path === undefined) return right(undefined);
  const read = readBounded(path, maxBytes);
  return isLeft(read)
    ? left(fault('USAGE', `the file of TLS ${path} cannot be read: ${read.left}`))
    : right(read.right.toString('utf8'));
};

const hostOf = (url: string): string => {
  try {
    return new URL(url.includes('://') ? url : `nats://${url}`).hostname.replace(/^\[|\]$/g, '');
  } catch {
    return '';
  }
};

/**
 * The TLS of a connection. Undefined: none is asked for, and the client begins it where the server wants it. If there
 * are options, a server without TLS is refused.
 */
export const tlsOptions = ({ url, tls }: Target): Either<Fault, TlsOptions | undefined> => {
  if (tls === undefined && !url.startsWith('tls://')) return right(undefined);
  const ca = pem(tls?.ca, MAX_CA_BYTES);
  if (isLeft(ca)) return ca;
  const cert = pem(tls?.cert, MAX_CA_BYTES);
  if (isLeft(cert)) return cert;
  const key = pem(tls?.key, MAX_KEY_BYTES);
  if (isLeft(key)) return key;
  const host = hostOf(url);
  return right({
    ...(ca.right === undefined ? {} : { ca: ca.right }),
    ...(cert.right === undefined ? {} : { cert: cert.right }),
    ...(key.right === undefined ? {} : { key: key.right }),
    // The client passes it on to Node. Without it, Node compares an address with the name `localhost`.
    ...(isIP(host) === 0 ? {} : ({ host } as object)),
  });
};

const TLS_CODE =
  /^(?:CERT_|ERR_TLS|ERR_SSL|ERR_OSSL|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|EPROTO|HOSTNAME_MISMATCH)/;
const TLS_TEXT = /\bTLS\b|does not support 'tls'|tls .*not available|PEM routines|SSL routines/i;

/** What is wrong with the TLS of a connection that failed; undefined if it failed for another reason. */
export const tlsFailure = (thrown: unknown): string | undefined => {
  for (let each: unknown = thrown; each instanceof Error; each = each.cause) {
    const { code } = each as { readonly code?: unknown };
    if (typeof code === 'string' && TLS_CODE.test(code)) return `${each.message} (${code})`;
    if (TLS_TEXT.test(each.message)) return each.message;
  }
  return undefined;
};
