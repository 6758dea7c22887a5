import { sourceManifest, writeSourceModule } from '../support/source-module.js';

/** The quantity that is taken twice: the planted bug. */
export const DOUBLED = 13;

const CODE = `
const ok = (data, events = []) => ({ _tag: 'Right', right: { data, events } });
const manifest = MANIFEST;
export default {
  manifest,
  initial: { left: 100, pin: 'none' },
  actions: {
    take: { decide: (state, { data }) => ok({}, [{ name: 'taken', data }]) },
    lock: { decide: (state, { data }) => ok({}, [{ name: 'locked', data }]) },
  },
  evolve: {
    // A planted bug: one quantity is taken twice.
    taken: (state, { quantity }) => ({ ...state, left: state.left - (quantity === ${DOUBLED} ? 2 : 1) * quantity }),
    locked: (state, { pin }) => ({ ...state, pin }),
  },
};
`;

const quantity = { type: 'object', properties: { quantity: { type: 'integer' } } };
const pin = { type: 'object', properties: { pin: { type: 'string', sensitive: true } } };

/** A module whose states become wrong at some record, and that has a value to hide. */
export const writeStore = (dir: string): string => {
  const manifest = sourceManifest('store', {
    actions: { take: { input: quantity, output: {} }, lock: { input: pin, output: {} } },
    events: { taken: { data: quantity }, locked: { data: pin } },
    sensitive: ['pin'],
  });
  return writeSourceModule(dir, manifest, {
    'index.js': CODE.replace('MANIFEST', JSON.stringify(manifest)),
  });
};
