/** On every message of a consumer whose policy is `pinned_client`, behind all its headers: whom the server has pinned it to. */
export const PIN_HEADER = 'Nats-Pin-Id';
