import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { NOT_HERE } from '../runner/not-here.js';
import { startBroker, type TestBroker, tallystick } from '../support/broker.js';
import { tallystickPath } from '../support/program-paths.js';
import { type TempDir, tempDir } from '../support/temp-dir.js';
import { type ManyTimes, tallystickManyTimes } from './many-times.js';
import { CLEAN_ENV } from './tallystick.js';

const NAMES = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf'];
const NUMBERS = [
  '-1',
  '0',
  '1e309',
  '9007199254740993',
  '99999999999999999999',
  'NaN',
  'Infinity',
  '0x10',
  '١',
];

/** Each command with a place for a name. */
const named = (name: string): readonly (readonly string[])[] => [
  ['agent', 'get', name, name],
  ['agent', 'get', 'accounts', name],
  ['agent', 'list', name],
  ['agent', 'list', 'accounts', '--prefix', name],
  ['call', `${name}.${name}`, '{}'],
  ['call', 'accounts.deposit', `{"${name}":1}`, '--agent', name],
  ['conversation', 'list', '--agent', name],
  ['module', 'info', name],
  ['module', 'unload', name],
  ['module', 'reload', name],
  ['module', 'remove', name],
  ['module', 'stats', name],
  ['dead', 'list', '--module', name],
  ['schedule', 'show', name],
  ['schedule', 'cancel', name],
  ['replay', 'history', '--module', name, '--agent', name],
  ['replay', 'state', name, name],
  ['replay', 'state', 'accounts', 'alice', '--watch', name],
  ['replay', 'rebuild', name],
  ['replay', 'export', '--agent', name],
];

/** Each command with a place for a number. */
const numbered = (number: string): readonly (readonly string[])[] => [
  ['conversation', 'get', number],
  ['conversation', 'list', '--limit', number],
  ['dead', 'show', number],
  ['dead', 'redrive', number],
  ['dead', 'list', '--limit', number],
  ['agent', 'list', 'accounts', '--limit', number],
  ['agent', 'get', 'accounts', 'alice', '--at', number],
  ['agent', 'get', 'accounts', 'alice', '--at-least', number, '--timeout', '100ms'],
  ['replay', 'history', '--from', number],
  ['replay', 'history', '--limit', number],
  ['replay', 'trace', number],
  ['replay', 'state', 'accounts', 'alice', '--at', number],
  ['replay', 'verify', '--from', number, '--no-states'],
  ['replay', 'export', '--from', number],
];

let dir: TempDir;
let broker: TestBroker;
let many: ManyTimes;
before(async () => {
  dir = tempDir();
  broker = await startBroker({ shipped: ['accounts'], args: ['--durability', 'os'] });
  many = tallystickManyTimes(dir.path);
  const { code } = await tallystick(['call', 'accounts.deposit', '{"amount":1}', '--agent', 'alice'], broker);
  assert.equal(code, 0);
});
after(async () => {
  await many?.[Symbol.asyncDispose]();
  await broker?.[Symbol.asyncDispose]();
  await dir?.[Symbol.asyncDispose]();
});

/** An answer, or one line that says what is wrong, with a code of the table that is not INTERNAL. */
const assertSaid = (args: readonly string[], code: number | null, stderr: string): void => {
  const what = `${args.join(' ')}: ${code} ${stderr}`;
  assert.ok(code === 0 || code === 1 || code === 2, what);
  assert.doesNotMatch(stderr, /INTERNAL|TypeError|undefined|\bat .*\.js/, what);
  if (code !== 0) assert.match(stderr, /^(?:tallystick: [A-Z_]+: [^\n]+\n)?$/, what);
};

describe('the command line, with what nobody should type', () => {
  for (const name of NAMES)
    it(`${name} in the place of each name`, async () => {
      for (const args of named(name)) {
        const { code, stderr } = await many.run([...args, '--data', broker.dataDir]);
        assertSaid(args, code, stderr);
      }
    });

  for (const number of NUMBERS)
    it(`${number} in the place of each number`, async () => {
      for (const args of numbered(number)) {
        const { code, stderr } = await many.run([...args, '--data', broker.dataDir]);
        assertSaid(args, code, stderr);
      }
    });
});

const spawned = (command: string, args: readonly string[], options: { uid?: number; gid?: number } = {}) =>
  spawn(command, args, {
    ...options,
    cwd: '/',
    env: { ...process.env, ...CLEAN_ENV },
    stdio: ['ignore', 'pipe', 'pipe'],
  });

describe('the command line, with a reader that leaves', () => {
  const COMMANDS = [
    ['status'],
    ['replay', 'history'],
    ['replay', 'export'],
    ['agent', 'list', 'accounts'],
    ['replay', 'verify'],
  ];

  for (const command of COMMANDS) {
    it(`tallystick ${command.join(' ')} ends in peace when the pipe is closed`, async () => {
      const child = spawned(process.execPath, [tallystickPath(), ...command, '--data', broker.dataDir]);
      child.stdout.destroy();
      let stderr = '';
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        stderr += text;
      });
      const [code] = (await once(child, 'close')) as [number | null];
      assert.deepEqual([code, stderr], [0, '']);
    });

    it(`tallystick ${command.join(' ')} >&- ends in peace`, async () => {
      const child = spawned('sh', [
        '-c',
        'exec "$@" >&-',
        'sh',
        process.execPath,
        tallystickPath(),
        ...command,
        '--data',
        broker.dataDir,
      ]);
      const [code] = (await once(child, 'close')) as [number | null];
      assert.equal(code, 0);
    });
  }
});

const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;
const asNobody = isRoot ? { uid: NOBODY, gid: NOBODY } : {};
/** A checkout in the home of root is closed to all others. */
const isOpen =
  spawnSync(process.execPath, ['--check', tallystickPath()], { ...asNobody, cwd: '/' }).status === 0;
const skip = isOpen ? false : `${NOT_HERE}no other user may read this checkout`;

describe("the command line, on another user's data directory", { skip }, () => {
  const COMMANDS = [
    ['status'],
    ['env'],
    ['module', 'list'],
    ['call', 'accounts.deposit', '{}'],
    ['agent', 'list', 'accounts'],
    ['agent', 'get', 'accounts', 'alice'],
    ['replay', 'verify'],
    ['replay', 'history'],
    ['start', '--nats-port', '0'],
  ];

  for (const command of COMMANDS)
    it(`tallystick ${command.join(' ')} exits 3 and says that this user may not`, async () => {
      await using locked = tempDir();
      const data = join(locked.path, 'data');
      mkdirSync(join(data, 'snapshots', 'accounts'), { recursive: true });
      writeFileSync(join(data, 'broker.json'), '{}');
      chmodSync(locked.path, 0o755);
      chmodSync(data, isRoot ? 0o700 : 0o000);
      try {
        const child = spawned(process.execPath, [tallystickPath(), ...command, '--data', data], asNobody);
        let stderr = '';
        child.stderr.setEncoding('utf8').on('data', (text: string) => {
          stderr += text;
        });
        const [code] = (await once(child, 'close')) as [number | null];
        assert.equal(code, 3, stderr);
        assert.match(
          stderr,
          /^tallystick: DATA_DIR_UNUSABLE: [^\n]*(?:may not read|permission denied)[^\n]*\n$/,
        );
      } finally {
        chmodSync(data, 0o700);
      }
    });
});
