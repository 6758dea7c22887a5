import type { IncomingMessage } from 'node:http';
import { type Fault, fault } from '../../schemas/errors.js';

/** What a request says of the page that made it. */
export interface Origins {
  /** It came with TLS. */
  readonly isSecure: boolean;
  readonly method: string;
  readonly host: string | undefined;
  readonly origin: string | undefined;
  readonly fetchSite: string | undefined;
  readonly contentType: string | undefined;
}

export const originsOf = ({
  method = '',
  headers,
  socket,
}: Pick<IncomingMessage, 'method' | 'headers' | 'socket'>): Origins => ({
  isSecure: 'encrypted' in socket,
  method,
  host: headers.host,
  origin: headers.origin,
  fetchSite: headers['sec-fetch-site'] as string | undefined,
  contentType: headers['content-type'],
});

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);
const READS = new Set(['GET', 'HEAD']);
/** A page of this address, or a person who typed it. */
const OWN_SITES = new Set(['same-origin', 'none']);

const nameOf = (host: string): string => host.replace(/:\d+$/, '').toLowerCase();

/** A browser sends nothing to us with TLS under a name that our certificate does not have. */
const isOurName = ({ isSecure, host }: Origins): boolean =>
  isSecure || (host !== undefined && LOOPBACK.has(nameOf(host)));

/**
 * Why a request may be from the page of another site, in a browser on this machine. That page could do what a guest
 * may. It can give its own name our address, so that names it in `Host`. It can send forms and plain text without a
 * question, so what changes something has to be JSON: for that, the browser asks first, and gets no leave.
 */
export const foreignPage = (origins: Origins): Fault | undefined => {
  const { isSecure, method, host, origin, fetchSite, contentType } = origins;
  if (!isOurName(origins))
    return fault('HTTP_FORBIDDEN', 'the header Host names no address of this machine: use http://127.0.0.1');
  if (fetchSite !== undefined && !OWN_SITES.has(fetchSite))
    return fault('HTTP_FORBIDDEN', 'the request is from a page of another site');
  if (origin !== undefined && origin !== `${isSecure ? 'https' : 'http'}://${host}`)
    return fault('HTTP_FORBIDDEN', 'the header Origin names another site');
  if (READS.has(method)) return undefined;
  return /^application\/json\b/i.test(contentType ?? '')
    ? undefined
    : fault('HTTP_INVALID', 'what you send must have `Content-Type: application/json`');
};
