/** What a client without a credential may do, from nothing to everything that clients do. */
export const GUEST_LEVELS = ['off', 'read', 'call'] as const;
export type GuestLevel = (typeof GUEST_LEVELS)[number];

/** Whether only programs of the same machine reach an address. A name may be any machine's, except `localhost`. */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);

const hostOf = (url: string): string => {
  try {
    return new URL(url).hostname;
  } catch {
    return '';
  }
};

/**
 * The level if the operator chooses none: `call` as long as the server is on loopback, where the first steps need no
 * credential. A server on another address is reached from other machines, so its guests get no connection.
 */
export const defaultGuest = (natsUrl: string | undefined): GuestLevel =>
  natsUrl === undefined || isLoopback(hostOf(natsUrl)) ? 'call' : 'off';

/** What a level means, for `status` and `doctor`. */
export const GUEST_TEXT: Readonly<Record<GuestLevel, string>> = {
  off: 'a client without a token gets no connection',
  read: 'a client without a token lists modules and reads states; it calls nothing',
  call: 'a client without a token calls every action and hears every record; `start --guest read` or `off` ends that',
};
