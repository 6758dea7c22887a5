import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { isLeft } from 'fp-ts/lib/Either.js';
import { type CommandTarget, findCommandTarget } from '../../bin/connect/command-target.js';
import { contextsFile, readContexts, writeContexts } from '../../bin/connect/contexts.js';
import { newUserKey } from '../../link/nkey.js';
import { tokenText } from '../../link/token-file.js';
import { success } from '../support/either.js';
import { type TempDir, tempDir } from '../support/temp-dir.js';

const PLACES = {
  server: 'nats://typed:1',
  variable: 'nats://variable:1',
  here: 'nats://127.0.0.1:1',
  context: 'tls://context:1',
};

let home: TempDir;
let token: string;
const cwd = process.cwd();

before(() => {
  home = tempDir();
  for (const dir of ['with/.tallystick', 'stopped/.tallystick', 'without'])
    mkdirSync(join(home.path, dir), { recursive: true });
  const address = { pid: 1, nats: PLACES.here, operatorSeed: 'operator.nk' };
  writeFileSync(join(home.path, 'with/.tallystick/broker.json'), JSON.stringify(address));
  token = join(home.path, 'ci.token');
  writeFileSync(token, tokenText('ci', { url: 'nats://token:1', seed: newUserKey().seed }));
});
after(async () => {
  process.chdir(cwd);
  await home[Symbol.asyncDispose]();
});

const environment = (config: string, more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => ({
  XDG_CONFIG_HOME: join(home.path, config),
  ...more,
});

/** The address that a command finds, or the code of its refusal. */
const found = (options: CommandTarget, env: NodeJS.ProcessEnv): string => {
  const target = findCommandTarget(options, env);
  return isLeft(target) ? target.left.code : target.right.url;
};

describe('the broker of a command', () => {
  before(() => {
    const prod = { name: 'prod', server: PLACES.context };
    const lab = { name: 'lab', server: 'nats://lab:1' };
    for (const [config, current] of [
      ['chosen', 'prod'],
      ['stored', null],
    ] as const)
      success(writeContexts({ current, contexts: [prod, lab] }, contextsFile(environment(config))));
  });

  it('is the one of the option, the variable, the directory, the chosen context: all combinations', () => {
    const options: readonly CommandTarget[] = [
      {},
      { server: PLACES.server },
      { data: join(home.path, 'with/.tallystick') },
      { token: '' },
      { context: 'lab' },
    ];
    for (const dir of ['with', 'stopped', 'without']) {
      process.chdir(join(home.path, dir));
      for (const config of ['chosen', 'stored', 'none']) {
        for (const variable of [undefined, PLACES.variable]) {
          for (const given of options) {
            const asked = given.token === undefined ? given : { token };
            const env = environment(config, variable === undefined ? {} : { NATS_URL: variable });
            const expected = ((): string => {
              if (asked.context !== undefined) return config === 'none' ? 'CONTEXT_UNKNOWN' : 'nats://lab:1';
              if (asked.server !== undefined) return PLACES.server;
              if (asked.token !== undefined) return 'nats://token:1';
              if (asked.data !== undefined) return PLACES.here;
              if (variable !== undefined) return PLACES.variable;
              if (dir === 'with') return PLACES.here;
              return dir === 'without' && config === 'chosen' ? PLACES.context : 'BROKER_UNREACHABLE';
            })();
            assert.equal(found(asked, env), expected, JSON.stringify({ dir, config, variable, asked }));
          }
        }
      }
    }
  });

  it('is never another one silently: what is passed over is named', () => {
    process.chdir(join(home.path, 'with'));
    const here = success(findCommandTarget({}, environment('chosen')));
    assert.equal(here.passedOver, 'prod');
    process.chdir(join(home.path, 'stopped'));
    const stopped = findCommandTarget({}, environment('chosen'));
    assert.ok(isLeft(stopped));
    assert.match(stopped.left.message, /the context prod does not count .*--context prod$/);
    process.chdir(join(home.path, 'without'));
    const used = success(findCommandTarget({}, environment('chosen')));
    assert.deepEqual([used.context, used.source], ['prod', 'context prod']);
  });

  it('is named once', () => {
    for (const more of [{ data: '.' }, { server: PLACES.server }, { token }])
      assert.equal(found({ context: 'prod', ...more }, environment('chosen')), 'USAGE');
  });

  it('is not guessed where the file of contexts is damaged', () => {
    process.chdir(join(home.path, 'without'));
    const path = contextsFile(environment('damaged'));
    success(writeContexts({ current: null, contexts: [] }, path));
    for (const text of [
      '',
      '{',
      '[]',
      '{"version":2}',
      '{"version":1,"current":7,"contexts":[]}',
      '{"version":1,"current":"x","contexts":[{"name":"x"}]}',
    ]) {
      writeFileSync(path, text);
      assert.ok(isLeft(readContexts(path)), text);
      assert.equal(found({}, environment('damaged')), 'USAGE', text);
      assert.equal(found({ server: PLACES.server }, environment('damaged')), PLACES.server, text);
    }
  });
});
