import type { Principal } from '../../schemas/access-requests.js';

/** A principal as an operator has made it. */
export const benchPrincipal = (
  name: string,
  publicKey: string,
  allow: readonly string[],
  limits: NonNullable<Principal['limits']> = {},
): Principal => ({
  name,
  account: `_${name}`,
  publicKey,
  allow,
  created: new Date().toISOString(),
  expires: null,
  by: 'operator',
  limits,
});
