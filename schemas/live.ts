/** What the subject of a stored record has before it on its way to listeners. */
export const LIVE = 'live.';
