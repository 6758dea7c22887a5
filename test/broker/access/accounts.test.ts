import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { limitsWithoutToken, moduleLimits } from '../../../broker/access/limits.js';
import { type AccountPlan, guestPlan, modulePlan, operatorPlan } from '../../../broker/access/accounts.js';
import { newUserKey } from '../../../link/nkey.js';
import { accountsConfig, serverConfig } from '../../../broker/access/server-config.js';
import accountsModule from '../../../modules/accounts/index.js';
import agentsModule from '../../../modules/agents/index.js';
import ordersModule from '../../../modules/orders/index.js';
import { startBroker, tallystick } from '../../support/broker.js';
import { connectOperator } from '../../support/log-checks.js';
import { natsServerPath } from '../../support/program-paths.js';
import { runProgram } from '../../support/run-program.js';
import { tempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';
import { attempt, connectWith } from './attempts.js';
import { readLoot, writeMallory } from './loot.js';

const { manifest: accounts } = accountsModule;
const { manifest: agents } = agentsModule;
const { manifest: orders } = ordersModule;

const KEYS = { core: newUserKey().publicKey, system: newUserKey().publicKey };
const plans = (): readonly AccountPlan[] => [
  guestPlan(),
  operatorPlan(newUserKey().publicKey, ['accounts', 'agents', 'orders']),
  ...[accounts, agents, orders].map((manifest) => modulePlan(manifest, newUserKey().publicKey)),
];
const render = (list: readonly AccountPlan[], storeDir = '/somewhere'): string =>
  serverConfig(
    { host: '127.0.0.1', port: 4222, storeDir, syncInterval: 'always' },
    { ...KEYS, accounts: list },
  );
const grantsOf = (plan: AccountPlan): readonly string[] => plan.imports.map(({ subject }) => subject);

/** What the server itself says of a configuration. */
const check = async (config: string): Promise<{ code: number | null; stderr: string }> => {
  await using dir = tempDir();
  const file = join(dir.path, 'server.conf');
  writeFileSync(file, config);
  return await runProgram(natsServerPath(), ['-t', '-c', file]);
};

describe('accounts', () => {
  it('I7 a module is granted its own part of the log, its own consumers and what it declares', () => {
    const own =
      /^(evt|res|step|ctl|told)\.orders\.>$|^ctl\.orders\.consumer$|^(cmd|call)\.orders\.[a-z]+(\.\*)?\.orders$/;
    const declared = /^(cmd|call)\.(accounts\.(withdraw|deposit)|agents\.(assign|release))(\.\*)?\.orders$/;
    const consumers = /^\$JS\.(API\.CONSUMER\.(INFO|MSG\.NEXT)\.LOG\.orders(~fold)?|ACK\.LOG\.orders\.>)$/;
    for (const subject of grantsOf(modulePlan(orders, KEYS.core))) {
      assert.ok(
        [own, declared, consumers].some((pattern) => pattern.test(subject)),
        subject,
      );
    }
  });

  it('I7 whatever is imported that the broker answers by who sends gets its sender as the last token', () => {
    for (const plan of plans()) {
      const signed = plan.imports.filter(({ subject }) =>
        /^(cmd|call|schedule|result|producer)\./.test(subject),
      );
      assert.ok(signed.length > 0);
      for (const { subject, as } of signed) assert.equal(subject, `${as}.${plan.name}`);
    }
  });

  it('I7 whoever is shared with the broker has its name in the subject', () => {
    const shared = render(plans())
      .split('\n')
      .filter((line) => line.includes('share'));
    for (const line of shared) {
      assert.match(
        line,
        /subject: "(send|ask|cancelling|restarting|discover|signalling|promising|schedule|result|state|producer|subscription)\.[^"]*\.(guest|operator)" \}, to: "/,
      );
    }
  });

  it('an action without an agent is granted without one, and the other way round', () => {
    const granted = grantsOf(modulePlan(agents, KEYS.core));
    assert.ok(granted.includes('call.agents.list.agents') && !granted.includes('call.agents.list.*.agents'));
    assert.ok(granted.includes('call.agents.info.*.agents') && !granted.includes('call.agents.info.agents'));
  });

  it('a subject is exported once, to all who were granted it', () => {
    const config = accountsConfig({ ...KEYS, accounts: plans() });
    const exports = [...config.matchAll(/\{ (?:service|stream): ("[^"]+"), accounts: (\[[^\]]*\])/g)];
    assert.equal(new Set(exports.map(([, subject]) => subject)).size, exports.length);
    const live = exports.find(([, subject]) => subject === '"live.>"');
    assert.deepEqual(JSON.parse(live?.[2] ?? ''), ['guest', 'operator']);
  });

  it('the server takes the configuration, also with paths that hold quotes, blanks and backslashes', async () => {
    for (const storeDir of ['/plain', '/a "quoted" and \\ spaced # path', "/it's $HOME", '/umlaut-\u00e4']) {
      const { code, stderr } = await check(render(plans(), storeDir));
      assert.equal(code, 0, `${storeDir}: ${stderr}`);
    }
  });

  it('I7 a name cannot break out of its place in the configuration', () => {
    const evil: AccountPlan = {
      name: 'x": { users: [ { user: a, password: b } ] }, "y',
      publicKey: newUserKey().publicKey,
      limits: moduleLimits(limitsWithoutToken('m', {})),
      imports: [{ kind: 'service', subject: 'evt.x", accounts: ["guest"] }, { service: "$JS.API.>' }],
    };
    const outsideStrings = render([...plans(), evil]).replaceAll(/"(?:\\.|[^"\\])*"/g, '""');
    assert.doesNotMatch(outsideStrings, /password: b|\$JS|guest"/);
  });

  it('a module that is loaded at run time talks at once, and one that is gone is shut out', async () => {
    await using dir = tempDir();
    writeMallory(dir.path);
    await using broker = await startBroker();
    const { dataDir, url } = broker;
    const operator = await connectOperator(dataDir);
    const run = async (...args: string[]): Promise<void> => {
      const { code, stderr } = await tallystick(['module', ...args, '--json'], { dataDir });
      assert.equal(code, 0, stderr);
    };
    try {
      // The server subscribes what a new account imports at the reload after the one that adds it; see access.ts.
      await run('load', dir.path, '--grant');
      const first = readLoot(dir.path);
      const mallory = await connectWith(url, first.seed);
      assert.equal(await attempt(mallory, 'evt.mallory.seen', {}), 'served');
      assert.equal(await attempt(mallory, 'call.accounts.balance.alice', {}), 'served');
      assert.equal(await attempt(operator, 'cmd.mallory.act.x', {}), 'served');
      // What the operator may not do to a module holds for new ones too, on the connection that was there before.
      assert.equal(await attempt(operator, '$JS.API.CONSUMER.MSG.NEXT.LOG.mallory', ''), 'forbidden');

      await run('reload', 'mallory');
      await waitFor('the old key to be shut out', () => mallory.isClosed());
      await assert.rejects(connectWith(url, first.seed), /Authorization/);
      const second = readLoot(dir.path);
      assert.notEqual(second.seed, first.seed);

      await run('unload', 'mallory');
      await assert.rejects(connectWith(url, second.seed), /Authorization/);
      assert.equal(await attempt(operator, 'call.accounts.balance.alice', {}), 'served');
    } finally {
      await operator.close();
    }
  });
});
