import { isLeft } from 'fp-ts/lib/Either.js';
import { certificateEnd, readTlsFiles } from '../../system/tls/tls-files.js';
import { parseInstant } from '../../schemas/instant.js';
import { type Diagnosis, asOk, asProblem, asWarning } from './diagnosis.js';

const DAY_MS = 86_400_000;
/** So long before its end a certificate is a warning, days. */
const WARN_DAYS = 30;

const REPLACE = 'replace the files that --tls-cert and --tls-key name; the broker reads them again by itself';

/** How long a certificate is still good. Clients refuse it from its end on. */
export const checkCertificateEnd = (end: string, now = Date.now()): Diagnosis => {
  const days = Math.floor(((parseInstant(end) ?? 0) - now) / DAY_MS);
  if (days < 0) return asProblem('certificate', `ended at ${end}: no client connects with TLS`, REPLACE);
  const found = `ends at ${end}, in ${days} day${days === 1 ? '' : 's'}`;
  return days <= WARN_DAYS ? asWarning('certificate', found, REPLACE) : asOk('certificate', found);
};

/** The files of a broker that is to start. */
export const checkTlsFiles = (cert: string, key: string | undefined, now = Date.now()): Diagnosis => {
  const read = key === undefined ? undefined : readTlsFiles({ cert, key }, now);
  if (read !== undefined && isLeft(read)) return asProblem('certificate', read.left.message, REPLACE);
  const end = certificateEnd(cert);
  return end === undefined
    ? asProblem('certificate', `${cert} has no certificate in PEM that can be read`, REPLACE)
    : checkCertificateEnd(end, now);
};
