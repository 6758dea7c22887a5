import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/** Paths of a certificate and its key, PEM. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

const EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

const openssl = (...args: readonly string[]): void => {
  execFileSync('openssl', args, { stdio: 'pipe' });
};

/** An authority in a directory, made with openssl. */
export const makeAuthority = (dir: string, name: string): CertificateFiles => {
  const files = { cert: join(dir, `${name}.pem`), key: join(dir, `${name}.key`) };
  openssl(
    'req',
    '-x509',
    ...EC,
    '-keyout',
    files.key,
    '-out',
    files.cert,
    '-days',
    '2',
    '-subj',
    `/CN=${name}`,
  );
  return files;
};

/** A certificate of an authority, for `localhost` and 127.0.0.1 unless `names` has others. */
export const makeCertificate = (
  dir: string,
  name: string,
  authority: CertificateFiles,
  {
    days = 2,
    names = 'DNS:localhost,IP:127.0.0.1',
  }: { readonly days?: number; readonly names?: string } = {},
): CertificateFiles => {
  const files = { cert: join(dir, `${name}.pem`), key: join(dir, `${name}.key`) };
  const request = join(dir, `${name}.csr`);
  openssl(
    'req',
    ...EC,
    '-keyout',
    files.key,
    '-out',
    request,
    '-subj',
    `/CN=${name}`,
    '-addext',
    `subjectAltName=${names}`,
  );
  const by = ['-CA', authority.cert, '-CAkey', authority.key, '-CAcreateserial', '-copy_extensions', 'copy'];
  openssl('x509', '-req', '-in', request, ...by, '-days', `${days}`, '-out', files.cert);
  return files;
};
