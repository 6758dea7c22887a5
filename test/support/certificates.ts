// x509 asks for it.
import 'reflect-metadata';
import { randomBytes, webcrypto } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import {
  BasicConstraintsExtension,
  type GeneralNameType,
  PemConverter,
  SubjectAlternativeNameExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';

/** Paths of a certificate and its key, PEM. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

const KEYS = { name: 'ECDSA', namedCurve: 'P-256' };
const SIGNED = { name: 'ECDSA', hash: 'SHA-256' };
const DAY_MS = 86_400_000;

const newKeys = () => webcrypto.subtle.generateKey(KEYS, true, ['sign', 'verify']);

const keyOf = (file: string): Promise<webcrypto.CryptoKey> =>
  webcrypto.subtle.importKey('pkcs8', PemConverter.decodeFirst(readFileSync(file, 'utf8')), KEYS, true, [
    'sign',
  ]);

/** From an hour ago, or from a day before its end. */
const validFor = (days: number) => {
  const notAfter = new Date(Date.now() + days * DAY_MS);
  return { notBefore: new Date(Math.min(Date.now() - DAY_MS / 24, notAfter.getTime() - DAY_MS)), notAfter };
};

const written = async (
  dir: string,
  name: string,
  certificate: X509Certificate,
  key: webcrypto.CryptoKey,
): Promise<CertificateFiles> => {
  const files = { cert: join(dir, `${name}.pem`), key: join(dir, `${name}.key`) };
  const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', key);
  writeFileSync(files.cert, certificate.toString('pem'));
  writeFileSync(files.key, PemConverter.encode(pkcs8, 'PRIVATE KEY'), { mode: 0o600 });
  return files;
};

const serialNumber = (): string => `01${randomBytes(8).toString('hex')}`;

/** An authority in a directory. */
export const makeAuthority = async (dir: string, name: string): Promise<CertificateFiles> => {
  const keys = await newKeys();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: `CN=${name}`,
    ...validFor(2),
    signingAlgorithm: SIGNED,
    keys,
    extensions: [new BasicConstraintsExtension(true, undefined, true)],
  });
  return written(dir, name, certificate, keys.privateKey);
};

/** A certificate of an authority, for `localhost` and 127.0.0.1 unless `names` has others. */
export const makeCertificate = async (
  dir: string,
  name: string,
  authority: CertificateFiles,
  {
    days = 2,
    names = ['localhost', '127.0.0.1'],
  }: { readonly days?: number; readonly names?: readonly string[] } = {},
): Promise<CertificateFiles> => {
  const keys = await newKeys();
  const type = (value: string): GeneralNameType => (isIP(value) === 0 ? 'dns' : 'ip');
  const certificate = await X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: `CN=${name}`,
    issuer: new X509Certificate(readFileSync(authority.cert, 'utf8')).subject,
    ...validFor(days),
    signingAlgorithm: SIGNED,
    publicKey: keys.publicKey,
    signingKey: await keyOf(authority.key),
    extensions: [new SubjectAlternativeNameExtension(names.map((value) => ({ type: type(value), value })))],
  });
  return written(dir, name, certificate, keys.privateKey);
};
