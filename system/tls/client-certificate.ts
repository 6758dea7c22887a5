import type { TLSSocket } from 'node:tls';

/** Why a client's certificate does not do; undefined if it does. */
export const certificateFault = (tls: TLSSocket): string | undefined => {
  const peer = tls.getPeerCertificate();
  if (Object.keys(peer).length === 0) return 'TLS Client Certificate Required';
  // The types name an error; Node gives its code.
  const reason = (tls as { readonly authorizationError?: Error | string | null }).authorizationError;
  return tls.authorized
    ? undefined
    : `TLS Client Certificate Refused: ${String(reason ?? 'it is not trusted')}`;
};
