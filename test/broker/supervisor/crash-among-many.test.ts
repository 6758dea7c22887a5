import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { NatsConnection } from 'nats';
import { type ModuleStatus, OPS } from '../../../schemas/operate.js';
import type { Refusal, Result } from '../../../schemas/result.js';
import { byForm } from '../../support/form.js';
import { type SourceBroker, startSourceBroker } from '../../support/source-broker.js';
import { sourceManifest } from '../../support/source-module.js';
import { PATIENT } from '../../support/patient.js';

const NAME = 'crasher';
const WAYS = ['exit', 'abort', 'segv', 'hang', 'memory'] as const;
const manifest = sourceManifest(NAME, {
  actions: { add: { input: {}, output: {} }, effect: { input: {}, output: {} } },
  limits: { crashes: 20, hangMs: 1_000, heapMb: 64 },
});

const CODE = `
const act = {
  exit: () => process.exit(9),
  abort: () => process.abort(),
  segv: () => { process.kill(process.pid, 'SIGSEGV'); for (;;); },
  hang: () => { for (;;); },
  memory: () => { const all = []; for (;;) all.push(new Array(1e5).fill(all.length)); },
};
const manifest = ${JSON.stringify(manifest)};
const ok = { _tag: 'Right', right: { data: {} } };
const decide = (state, { data: { way } }) => { act[way]?.(); return ok; };
export default {
  manifest,
  initial: {},
  actions: { add: { decide }, effect: { run: ({ data: { way } }) => async () => { act[way]?.(); return ok; } } },
  evolve: { added: (state) => state },
};
`;

const OTHERS = byForm({ short: 80, deep: 200 });

describe('a command that ends its process among many', () => {
  let source: SourceBroker;
  let operator: NatsConnection;
  let guest: NatsConnection;

  before(async () => {
    source = await startSourceBroker(manifest, { 'index.js': CODE });
    ({ operator, guest } = source);
  });
  after(() => source?.[Symbol.asyncDispose]());

  const call = async (action: string, agent: string, way: string): Promise<Result> =>
    (
      await guest.request(`call.${NAME}.${action}.${agent}`, JSON.stringify({ way }), { timeout: 50_000 })
    ).json<Result>();
  const restarts = async (): Promise<number> =>
    (await operator.request(OPS.moduleInfo, JSON.stringify({ name: NAME }), PATIENT)).json<ModuleStatus>()
      .restarts;

  for (const way of WAYS) {
    it(`I3 ${way}: one crash tells which command it was, and all others are handled`, async () => {
      const before = await restarts();
      const others = Array.from({ length: OTHERS }, (_, i) => call('add', `agent-${i}`, 'well'));
      const guilty = call('add', 'guilty', way);
      const later = Array.from({ length: OTHERS }, (_, i) => call('add', `later-${i}`, 'well'));
      assert.equal(((await guilty) as Refusal).error.code, 'HANDLER_CRASHED');
      const results = await Promise.all([...others, ...later]);
      assert.deepEqual([...new Set(results.map(({ status }) => status))], ['ok']);
      assert.equal(await restarts(), before + 1);
    });
  }

  it('I3 a handler that ends its process among other handlers is found, and the others are handled', async () => {
    const others = Array.from({ length: 20 }, (_, i) => call('effect', `agent-${i}`, 'well'));
    const guilty = call('effect', 'guilty', 'exit');
    assert.equal(((await guilty) as Refusal).error.code, 'HANDLER_CRASHED');
    for (const { status } of await Promise.all(others)) assert.equal(status, 'ok');
  });
});
