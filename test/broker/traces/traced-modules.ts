import { join } from 'node:path';
import { sourceManifest, writeSourceModule } from '../../support/source-module.js';

const input = { type: 'object' };
const action = { input, output: {} };
const PRELUDE = `const ok = (data, events = []) => ({ _tag: 'Right', right: { data, events } });`;

const bank = sourceManifest('bank', {
  actions: { pay: action, note: { ...action, callers: 'events' } },
  events: {},
  on: { 'till.charged': { action: 'note' } },
});
const till = sourceManifest('till', {
  actions: { charge: action, refuse: action },
  events: { charged: { data: input } },
  dependencies: { bank: ['pay'] },
});
const desk = sourceManifest('desk', {
  actions: { order: { ...action, deadlineMs: 60_000 }, hold: { ...action, deadlineMs: 60_000 } },
  events: {},
  dependencies: { till: ['charge', 'refuse'] },
});

const codeOf = (manifest: object, actions: string, evolve = '{}'): string => `
${PRELUDE}
const bank = ${JSON.stringify(bank)};
const till = ${JSON.stringify(till)};
export default { manifest: ${JSON.stringify(manifest)}, initial: {}, actions: ${actions}, evolve: ${evolve} };
`;

const BANK = '{ pay: { decide: () => ok({}) }, note: { decide: () => ok({}) } }';

const TILL = `{
  charge: {
    run: (command, { step, call }) => async () => {
      await step('print', () => 'a receipt')();
      await call(bank, 'pay', 'one', { card: 'secret-card' })();
      return ok({}, [{ name: 'charged', data: { card: 'secret-card' } }]);
    },
  },
  refuse: { decide: () => ({ _tag: 'Left', left: { code: 'NO_MONEY', message: 'secret-reason' } }) },
}`;

const DESK = `{
  order: {
    run: (command, { call, sleep }) => async () => {
      await call(till, 'charge', 'one', { card: 'secret-card' })();
      await sleep(50)();
      await call(till, 'refuse', 'one', {})();
      return ok({ card: 'secret-card' });
    },
  },
  hold: {
    run: (command, { awaitSignal, call }) => async () => {
      await awaitSignal('go')();
      await call(till, 'charge', 'two', {})();
      return ok({});
    },
  },
}`;

/** What the payloads of these modules have and no span may have. */
export const SECRET = 'secret-';

/** Three modules: `desk` calls `till` and waits, `till` has a step, calls `bank`, and publishes what `bank` listens to. */
export const tracedModules = (dir: string): readonly string[] =>
  [
    writeSourceModule(join(dir, 'bank'), bank, { 'index.js': codeOf(bank, BANK) }),
    writeSourceModule(join(dir, 'till'), till, { 'index.js': codeOf(till, TILL, '{ charged: (s) => s }') }),
    writeSourceModule(join(dir, 'desk'), desk, { 'index.js': codeOf(desk, DESK) }),
  ].flatMap((path) => ['--module', path]);
