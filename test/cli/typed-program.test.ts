import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, test } from 'node:test';
import { keptText } from '../../bin/text/run-text.js';
import { asTyped, typedLog, typedProgram } from '../../bin/output/typed-program.js';
import { ERRORS } from '../../schemas/error-table.js';
import { NEXT_STEP } from '../../schemas/next-steps.js';
import { tempDir } from '../support/temp-dir.js';
import { commandPages } from './command-pages.js';
import { tallystick } from './tallystick.js';

const BARE =
  /(?<![\w/.-]|npx )tallystick (?:start|dev|doctor|env|status|call|agent|module|dead|schedule|replay)\b/;

const program = (dir: string): string => {
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, 'tallystick'), '#!/bin/sh\n');
  chmodSync(join(dir, 'tallystick'), 0o755);
  return dir;
};

describe('the name of the program in texts', () => {
  test('is what you type: npx runs it, or your PATH has it, or only a project has it', async () => {
    await using dir = tempDir();
    const global = program(join(dir.path, 'bin'));
    const local = program(join(dir.path, 'project', 'node_modules', '.bin'));
    const folder = join(dir.path, 'folder');
    mkdirSync(join(folder, 'tallystick'), { recursive: true });
    const both = [local, global].join(delimiter);
    const cases: readonly (readonly [string, NodeJS.ProcessEnv, string])[] = [
      ['installed globally', { PATH: global }, 'tallystick'],
      ['nowhere', { PATH: '/no/such/folder' }, 'npx tallystick'],
      ['a folder of that name', { PATH: folder }, 'npx tallystick'],
      ['no PATH', {}, 'npx tallystick'],
      ['npx, and also global', { PATH: both, npm_command: 'exec' }, 'npx tallystick'],
      ['npm run dev', { PATH: local, npm_command: 'run', npm_execpath: '/npm.js' }, 'npx tallystick'],
      ['pnpm exec', { PATH: local, npm_config_user_agent: 'pnpm/9' }, 'npx tallystick'],
      ['npm run dev, and also global', { PATH: both, npm_execpath: '/npm.js' }, 'tallystick'],
      ['node_modules/.bin on your own PATH', { PATH: local }, 'tallystick'],
    ];
    for (const [what, env, expected] of cases) assert.equal(typedProgram(env), expected, what);
  });

  test('stands before each command, and changes no path, no prefix and no other word', () => {
    const typed = (text: string): string => asTyped(text, () => 'npx tallystick');
    for (const [text, expected] of [
      ['run `tallystick status`', 'run `npx tallystick status`'],
      ['eval "$(tallystick env)"', 'eval "$(npx tallystick env)"'],
      ['cat x | tallystick replay import -', 'cat x | npx tallystick replay import -'],
      ['npx tallystick status', 'npx tallystick status'],
      ['/opt/tallystick start', '/opt/tallystick start'],
      ['--data /var/lib/tallystick --json', '--data /var/lib/tallystick --json'],
      ['tallystick: USAGE: no', 'tallystick: USAGE: no'],
      ['the tallystick broker', 'the tallystick broker'],
    ] as const)
      assert.equal(typed(text), expected);
    const plain = 'run `tallystick status`';
    assert.equal(
      asTyped(plain, () => 'tallystick'),
      plain,
    );
  });

  test("is in every page of help, in every next step, and in the broker's output", async () => {
    const typed = () => 'npx tallystick';
    for (const { name, help } of await commandPages(80, 'npx tallystick')) {
      assert.match(help, new RegExp(`^Usage: npx tallystick ${name}`.trim()), name);
      assert.doesNotMatch(help, BARE, name);
    }
    for (const code of Object.keys(ERRORS) as (keyof typeof ERRORS)[])
      assert.doesNotMatch(asTyped(NEXT_STEP[code], typed), BARE, code);
    const lines: string[] = [];
    typedLog({ line: (source, text) => lines.push(`${source} ${text}`) }).line(
      'a',
      '`tallystick module list`',
    );
    assert.match(lines.join(), /^a `(npx )?tallystick module list`$/);
    assert.match(keptText('/x', undefined), /^ {2}(npx )?tallystick start --data \/x/m);
  });

  test('follows the environment of each run, in help and in errors; JSON keeps the plain name', async () => {
    await using dir = tempDir();
    const data = ['--data', join(dir.path, 'no-broker')];
    const global = {
      PATH: `${program(join(dir.path, 'bin'))}${delimiter}${process.env.PATH}`,
      npm_command: undefined,
    };
    const npx = { npm_command: 'exec' };
    const run = (args: readonly string[], env: NodeJS.ProcessEnv) => tallystick(args, { env });
    assert.match(
      (await run(['call', '--help'], npx)).stdout,
      /^Usage: npx tallystick call .*\$ npx tallystick call/s,
    );
    assert.match(
      (await run(['call', '--help'], global)).stdout,
      /^Usage: tallystick call .*\$ tallystick call/s,
    );
    assert.match(
      (await run(['status', ...data], npx)).stderr,
      /^tallystick: BROKER_.*`npx tallystick start`/,
    );
    assert.match((await run(['status', ...data], global)).stderr, /^tallystick: BROKER_.*`tallystick start`/);
    const { stderr } = await run(['status', '--json', ...data], npx);
    assert.match(stderr, /^\{"error":.*`tallystick start`/);
  });
});
