/**
 * On every message of a consumer with the policy `pinned_client`, after all its headers: the client that the server
 * pinned.
 */
export const PIN_HEADER = 'Nats-Pin-Id';
