import { useEffect, useState } from 'preact/hooks';

const KEY = 'tallystick-token';
const listeners = new Set<() => void>();

/** The seed of the token; empty: a guest. It is kept until the tab is closed. */
export const tokenNow = (): string => sessionStorage.getItem(KEY) ?? '';

export const setToken = (token: string): void => {
  if (token === '') sessionStorage.removeItem(KEY);
  else sessionStorage.setItem(KEY, token);
  for (const each of listeners) each();
};

export const useToken = (): string => {
  const [token, set] = useState(tokenNow());
  useEffect(() => {
    const changed = (): void => set(tokenNow());
    listeners.add(changed);
    return () => void listeners.delete(changed);
  }, []);
  return token;
};

/** A token file has comments and the seed, its last line. A person may paste all of it. */
export const pastedSeed = (text: string): string =>
  text
    .split(/\s+/)
    .filter((word) => /^SU[A-Z2-7]{56}$/.test(word))
    .at(-1) ?? '';
