import { useEffect, useState } from 'preact/hooks';

/** The parts of the address behind `#/`: the view, then what it shows. A link to each is an ordinary link. */
export type Route = readonly string[];

const routeNow = (): Route =>
  location.hash
    .replace(/^#\/?/, '')
    .split('/')
    .filter((part) => part !== '')
    .map(decodeURIComponent);

export const linkTo = (...parts: readonly (string | number)[]): string =>
  `#/${parts.map((part) => encodeURIComponent(part)).join('/')}`;

export const useRoute = (): Route => {
  const [route, set] = useState<Route>(routeNow());
  useEffect(() => {
    const changed = (): void => set(routeNow());
    addEventListener('hashchange', changed);
    return () => removeEventListener('hashchange', changed);
  }, []);
  return route;
};
