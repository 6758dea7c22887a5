import { join } from 'node:path';
import { writeSourceModule } from '../support/source-module.js';

const secretName = { type: 'string', sensitive: true };
const withName = {
  type: 'object',
  properties: { name: secretName, ward: { type: 'integer' } },
  required: ['name'],
};

const manifestOf = (name: string, encrypt: boolean, change: object = {}) => ({
  name,
  version: '1.0.0',
  description: 'Keeps the names of patients.',
  actions: {
    admit: { input: withName, output: withName },
    look: { input: {}, output: withName },
    wait: { input: withName, output: {} },
    burst: { input: withName, output: {} },
  },
  events: { admitted: { data: withName }, waited: { data: {} } },
  ...(encrypt ? { encrypt } : {}),
  start: { entry: './index.js' },
  ...change,
});

/** `wait` takes 400 ms so that calls are in flight while an agent is erased: it is the work, and no test waits by it. */
const codeOf = (manifest: object): string => `
const manifest = ${JSON.stringify(manifest)};
const ok = (data, events) => ({ _tag: 'Right', right: { data, events } });
export default {
  manifest,
  initial: { names: [], beds: 0 },
  actions: {
    admit: { decide: (_, { data }) => ok(data, [{ name: 'admitted', data }]) },
    look: { decide: (state) => ok({ name: state.names.join('+'), ward: state.beds }, []) },
    wait: {
      run: ({ data }) => async () => {
        // The work of a slow handler.
        await new Promise((end) => setTimeout(end, 400));
        return ok({}, [{ name: 'waited', data: {} }]);
      },
    },
    burst: { decide: (_, { data }) => { throw new Error('cannot take ' + data.name); } },
  },
  evolve: {
    admitted: ({ names, beds }, { name }) => ({ names: [...names, name], beds: beds + 1 }),
    waited: (state) => ({ ...state, beds: state.beds + 1 }),
  },
};
`;

/** Writes a module that keeps names, which its schemas mark as sensitive. */
export const writePatients = (home: string, name: string, encrypt: boolean, change: object = {}): string => {
  const dir = join(home, name);
  const manifest = manifestOf(name, encrypt, change);
  writeSourceModule(dir, manifest, { 'index.js': codeOf(manifest) });
  return dir;
};
