/** What two bundled packages use of `node:assert`. `bundle-programs.mjs` puts it in its place. */
const ok = (value, message) => {
  if (!value) throw message instanceof Error ? message : new Error(message ?? 'the value is false');
};

const equal = (actual, expected, message) =>
  ok(actual === expected, message ?? `${actual} is not ${expected}`);

export default Object.assign(ok, { ok, equal });
