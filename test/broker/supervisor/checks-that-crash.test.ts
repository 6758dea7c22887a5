import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { NatsConnection } from 'nats';
import { type ModuleStatus, OPS } from '../../../schemas/operate.js';
import type { Refusal, Result } from '../../../schemas/result.js';
import { sourceManifest } from '../../support/source-module.js';
import { type SourceBroker, startSourceBroker } from '../../support/source-broker.js';
import { PATIENT } from '../../support/patient.js';

const NAME = 'checker';
const WAYS = ['exit', 'abort', 'hang', 'memory'] as const;
const manifest = sourceManifest(NAME, {
  actions: { add: { input: {}, output: {} }, effect: { input: {}, output: {} } },
  limits: { crashes: 20, hangMs: 1_000, heapMb: 64 },
});

/** A schema of the code may have checks of its own, which run before the handler does. */
const CODE = `
const act = {
  throw: () => { throw new Error('the check threw'); },
  exit: () => process.exit(9),
  abort: () => process.abort(),
  hang: () => { for (;;); },
  memory: () => { const all = []; for (;;) all.push(new Array(1e5).fill(all.length)); },
};
const input = { '~refine': [{ check: ({ way }) => (act[way] ?? (() => true))(), error: () => 'no' }] };
const manifest = ${JSON.stringify(manifest)};
for (const action of Object.values(manifest.actions)) action.input = input;
const ok = { _tag: 'Right', right: { data: {} } };
export default {
  manifest,
  initial: {},
  actions: { add: { decide: () => ok }, effect: { run: () => async () => ok } },
  evolve: { added: (state) => state },
};
`;

describe('a check that ends or hangs its process', () => {
  let source: SourceBroker;
  let operator: NatsConnection;
  let guest: NatsConnection;

  before(async () => {
    source = await startSourceBroker(manifest, {
      'index.js': CODE,
    });
    ({ operator, guest } = source);
  });
  after(() => source?.[Symbol.asyncDispose]());

  const call = async (action: string, way: string): Promise<Result> =>
    (
      await guest.request(`call.${NAME}.${action}.${way}`, JSON.stringify({ way }), { timeout: 40_000 })
    ).json<Result>();
  const restarts = async (): Promise<number> =>
    (await operator.request(OPS.moduleInfo, JSON.stringify({ name: NAME }), PATIENT)).json<ModuleStatus>()
      .restarts;

  it('one that throws is answered as a handler that throws, and ends nothing', async () => {
    for (const action of ['add', 'effect']) {
      const before = await restarts();
      const { error } = (await call(action, 'throw')) as Refusal;
      assert.equal(error.code, 'HANDLER_THREW');
      assert.match(error.message, /^the check of checker\.\w+ threw: the check threw$/);
      assert.equal(await restarts(), before);
    }
  });

  for (const way of WAYS) {
    it(`I3 ${way}: its command is known, and answered after one crash; others go on`, async () => {
      for (const action of ['add', 'effect']) {
        const before = await restarts();
        const result = await call(action, way);
        assert.equal((result as Refusal).error.code, 'HANDLER_CRASHED');
        assert.equal(await restarts(), before + 1);
        assert.equal((await call(action, 'well')).status, 'ok');
        if (way === 'hang' || way === 'memory') break;
      }
    });
  }
});
