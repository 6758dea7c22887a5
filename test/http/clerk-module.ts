import { sourceManifest, writeSourceModule } from '../support/source-module.js';

const input = { type: 'object' };

const CODE = `
const ok = (data, events = []) => ({ _tag: 'Right', right: { data, events } });
const manifest = MANIFEST;
export default {
  manifest,
  initial: { notes: [] },
  actions: {
    note: { decide: (state, { data }) => ok({}, [{ name: 'noted', data }]) },
    fail: { decide: () => { throw new Error('as asked'); } },
    hold: {
      run: (command, { createPromise, step }) => async () => {
        const made = await createPromise()();
        await step('told', () => made.right.id)();
        const settled = await made.right.settled();
        return settled._tag === 'Right' ? ok({ got: settled.right ?? null }) : ok({ refused: settled.left });
      },
    },
    hear: {
      run: (command, { awaitSignal }) => async () => {
        const heard = await awaitSignal('paid')();
        return ok({ heard: heard.right ?? null });
      },
    },
  },
  evolve: { noted: ({ notes }, { text }) => ({ notes: [...notes, text] }) },
};
`;

/** A module whose handlers keep notes, fail, and wait: what operators look at. */
export const writeClerk = (dir: string): string => {
  const manifest = sourceManifest('clerk', {
    actions: {
      note: {
        input: { type: 'object', properties: { text: { type: 'string', sensitive: true } } },
        output: {},
      },
      fail: { input, output: {} },
      hold: { input, output: {}, deadlineMs: 60_000 },
      hear: { input, output: {}, deadlineMs: 60_000 },
    },
    events: { noted: { data: { type: 'object', properties: { text: { type: 'string' } } } } },
  });
  return writeSourceModule(dir, manifest, {
    'index.js': CODE.replace('MANIFEST', JSON.stringify(manifest)),
  });
};
