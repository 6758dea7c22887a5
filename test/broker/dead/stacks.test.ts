import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { NatsConnection } from 'nats';
import type { DeadDetails } from '../../../schemas/dead.js';
import { type ModuleStatus, OPS } from '../../../schemas/operate.js';
import type { TestBroker } from '../../support/broker.js';
import { PATIENT } from '../../support/patient.js';
import { sourceManifest } from '../../support/source-module.js';
import { type SourceBroker, startSourceBroker } from '../../support/source-broker.js';
import { waitFor } from '../../support/wait-for.js';

/** Code of a handler that fails where `secret` is, and what of it the operator must see. */
const FAILING: Readonly<Record<string, { readonly code: string; readonly says: readonly RegExp[] }>> = {
  decide: { code: 'decide: () => secretPlace()', says: [/^TypeError: boom/, /at secretPlace .*deep\.js:2/] },
  run: { code: 'run: () => async () => secretPlace()', says: [/^TypeError: boom/, /at secretPlace/] },
  rejects: {
    code: 'run: () => () => new Promise((_, no) => setImmediate(() => { try { secretPlace(); } catch (e) { no(e); } }))',
    says: [/at secretPlace/],
  },
  caused: {
    code: "decide: () => { try { secretPlace(); } catch (cause) { throw new Error('outer', { cause }); } }",
    says: [/^Error: outer/, /caused by TypeError: boom/, /at secretPlace/],
  },
  endless: { code: 'decide: () => endless()', says: [/^RangeError: Maximum call stack/, /at endless/] },
  huge: { code: "decide: () => { throw new Error('x'.repeat(2_000_000)); }", says: [/^Error: xxxx/] },
  steers: {
    code: "decide: () => { throw new Error('\\u001b[2J\\u202e'); }",
    says: [/^Error: \\u001b\[2J\\u202e/],
  },
  string: { code: "decide: () => { throw 'just text'; }", says: [/just text/] },
  lying: {
    code: "decide: () => { const e = new Error('x'); Object.defineProperty(e, 'stack', { get() { throw 1; } }); throw e; }",
    says: [/cannot be read/],
  },
  folds: {
    code: "decide: () => ({ _tag: 'Right', right: { data: {}, events: [{ name: 'added', data: {} }] } })",
    says: [/^TypeError: boom/, /at secretPlace/],
  },
  unreadable: {
    code: "decide: () => ({ _tag: 'Right', right: { get data() { return secretPlace(); } } })",
    says: [/at secretPlace/],
  },
  crash: {
    code: 'run: () => () => { setTimeout(secretPlace, 1); return new Promise(() => undefined); }',
    says: [/TypeError: boom/, /at secretPlace|at Timeout\.secretPlace/],
  },
};

const NAME = 'failing';
const manifest = sourceManifest(NAME, {
  actions: Object.fromEntries(Object.keys(FAILING).map((action) => [action, { input: {}, output: {} }])),
  limits: { crashes: 10 },
});

const CODE = `
import { endless, secretPlace } from './deep.js';
export default {
  manifest: ${JSON.stringify(manifest)},
  initial: {},
  actions: { ${Object.entries(FAILING)
    .map(([action, { code }]) => `${action}: { ${code} }`)
    .join(',\n')} },
  evolve: { added: () => secretPlace() },
};
`;
const DEEP = `
export function secretPlace() { throw new TypeError('boom'); }
export function endless() { return endless() + 1; }
`.trimStart();

describe('where a handler failed', () => {
  let source: SourceBroker;
  let broker: TestBroker;
  let operator: NatsConnection;
  let guest: NatsConnection;

  before(async () => {
    source = await startSourceBroker(manifest, {
      'index.js': CODE,
      'deep.js': `\n${DEEP}`,
    });
    ({ broker, operator, guest } = source);
  });
  after(() => source?.[Symbol.asyncDispose]());

  for (const [action, { says }] of Object.entries(FAILING)) {
    it(`${action}: the operator sees the place, in the dead letter and in the log; callers and watchers do not`, async () => {
      const seen: string[] = [];
      const watching = guest.subscribe(`live.res.${NAME}.>`, {
        callback: (_, msg) => {
          seen.push(JSON.stringify([msg.string(), msg.headers?.toString()]));
        },
      });
      await guest.flush();
      const reply = await guest.request(`call.${NAME}.${action}.a`, '{}', { timeout: 20_000 });
      const command = Number(reply.headers?.get('Tally-Cause'));
      const letter = await waitFor('the dead letter', async () => {
        const answer = await operator.request(OPS.deadShow, JSON.stringify({ seq: command }), PATIENT);
        return answer.json<{ letter?: DeadDetails }>().letter;
      });
      const { stack = '' } = letter;
      for (const pattern of says) assert.match(stack, pattern);
      assert.ok(stack.length < 20_000 && stack.split('\n').length <= 41);
      assert.ok(
        !(await operator.request(OPS.deadList, '{"from":1}', PATIENT)).string().includes('secretPlace'),
      );
      await waitFor('the live record', () => seen.length > 0);
      watching.unsubscribe();
      for (const text of [reply.string(), reply.headers?.toString() ?? '', ...seen]) {
        assert.doesNotMatch(text, /secretPlace|deep\.js|index\.js|session\.ts/);
      }
      // A process that has ended printed it itself.
      const logged = broker.stderr.filter((line) => line.includes(`[${NAME}]`)).join('\n');
      if (action !== 'crash')
        assert.match(logged, new RegExp(`command ${command} of ${NAME}.${action} failed:`));
    });
  }

  it('hundreds of throws in a row do not fill the log of the broker', async () => {
    const before = broker.stderr.length;
    const { pid } = (
      await operator.request(OPS.moduleInfo, JSON.stringify({ name: NAME }), PATIENT)
    ).json<ModuleStatus>();
    for (let i = 0; i < 500; i++) guest.publish(`cmd.${NAME}.decide.a${i}`, '{}');
    await waitFor('all to be handled', async () => {
      const { lag } = (
        await operator.request(OPS.moduleInfo, JSON.stringify({ name: NAME }), PATIENT)
      ).json<ModuleStatus>();
      return lag === 0;
    });
    assert.ok(pid !== null);
    assert.ok(broker.stderr.length - before < 21 * 32 * 2, `${broker.stderr.length - before} lines`);
  });
});
