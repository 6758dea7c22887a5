import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { type TaskEither, tryCatch } from 'fp-ts/lib/TaskEither.js';
import { readBounded } from '../../system/files/bounded-file.js';
import { writeOut } from '../../system/files/out-file.js';
import { type Fault, fault, toFault } from '../../schemas/errors.js';
import { compileOnUse } from '../../schemas/validate.js';
import {
  type Certificate,
  CertificateSchema,
  type Statement,
  StatementSchema,
  type Verification,
} from '../../schemas/verification.js';
import type { Segment } from './digest.js';
import { isSigned, type SigningKey } from './signing-key.js';

const certificateOf = compileOnUse<Certificate>(CertificateSchema, 'CERTIFICATE_INVALID', 'the certificate');
const statementOf = compileOnUse<Statement>(
  StatementSchema,
  'CERTIFICATE_INVALID',
  'the statement of the certificate',
);

/** What is signed of a verification. */
export const statementFor = (
  found: Verification,
  segments: readonly Segment[],
  issuedAt = new Date(),
): Statement => ({
  statement: 'tallystick verification 1',
  logId: found.logId,
  issuedAt: issuedAt.toISOString(),
  firstSeq: found.firstSeq,
  lastSeq: found.lastSeq,
  records: found.records,
  commands: found.commands,
  results: found.results,
  events: found.events,
  epochs: found.epochs,
  findings: found.findingsTotal,
  digest: found.digest,
  segments: segments.map(([seq, digest]) => [seq, digest]),
});

/** Signs: exactly the text that the certificate carries, so that no other way of writing JSON breaks it. */
export const certify = (statement: Statement, key: SigningKey): Certificate => {
  const text = JSON.stringify(statement);
  return { statement: text, publicKey: key.publicKey, signature: key.sign(text) };
};

/** A certificate as its file has it. */
export const certificateText = (certificate: Certificate): string =>
  `${JSON.stringify(certificate, null, 2)}\n`;

/** OUTPUT_FAILED where it cannot be written; what stood there before is replaced. */
export const writeCertificate = (path: string, certificate: Certificate): TaskEither<Fault, void> =>
  tryCatch(
    () => writeOut(path, certificateText(certificate)),
    (error) => toFault(error),
  );

const parse = (text: string, what: string): Either<Fault, unknown> => {
  try {
    return right(JSON.parse(text));
  } catch (error) {
    return left(fault('CERTIFICATE_INVALID', `${what} is no JSON: ${(error as Error).message}`));
  }
};

/**
 * What a certificate states, if its signature fits and its key is one that is trusted (32 bytes, base64).
 * CERTIFICATE_INVALID: it was changed, or is none; CERTIFICATE_UNTRUSTED: another key has signed it.
 */
export const checkCertificate = (text: string, trusted: readonly string[]): Either<Fault, Statement> => {
  const json = parse(text, 'the certificate');
  if (isLeft(json)) return json;
  const certificate = certificateOf(json.right);
  if (isLeft(certificate)) return certificate;
  const { statement, publicKey, signature } = certificate.right;
  if (!isSigned(statement, publicKey, signature)) {
    return left(fault('CERTIFICATE_INVALID', 'the signature does not fit: the certificate was changed'));
  }
  if (!trusted.includes(publicKey)) {
    const known = trusted.length === 0 ? 'no key is trusted here' : `trusted is ${trusted.join(', ')}`;
    return left(fault('CERTIFICATE_UNTRUSTED', `the certificate is signed by ${publicKey}, and ${known}`));
  }
  const said = parse(statement, 'the statement of the certificate');
  return isLeft(said) ? said : statementOf(said.right);
};

/** A statement names every epoch of a range: far below this. */
const MAX_CERTIFICATE_BYTES = 64 * 1024 * 1024;

/** As {@link checkCertificate}, of a file; USAGE where it cannot be read. */
export const readCertificate = (path: string, trusted: readonly string[]): Either<Fault, Statement> => {
  const read = readBounded(path, MAX_CERTIFICATE_BYTES);
  if (isLeft(read)) return left(fault('USAGE', `the certificate ${path} cannot be read: ${read.left}`));
  return checkCertificate(read.right.toString('utf8'), trusted);
};
