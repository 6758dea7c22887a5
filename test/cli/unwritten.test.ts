import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { startBroker, type TestBroker, tallystick } from '../support/broker.js';
import { byForm } from '../support/form.js';
import { tallystickPath } from '../support/program-paths.js';
import { NOT_HERE } from '../runner/not-here.js';
import { CLEAN_ENV } from './tallystick.js';

const FULL = '/dev/full';
const skip = existsSync(FULL) ? false : `${NOT_HERE}no ${FULL}`;

const COMMANDS: readonly (readonly string[])[] = [
  ['status'],
  ['env'],
  ['call', 'accounts.deposit', '{"amount":1}', '--agent', 'alice'],
  ['call', 'accounts.deposit', '{"amount":1}', '--agent', 'alice', '--in', '1h'],
  ['agent', 'get', 'accounts', 'alice'],
  ['agent', 'list', 'accounts'],
  ['conversation', 'list'],
  ['module', 'list'],
  ['module', 'info', 'accounts'],
  ['module', 'stats'],
  ['schedule', 'list'],
  ['dead', 'list'],
  ['replay', 'history'],
  ['replay', 'trace', 'SEQ'],
  ['replay', 'state', 'accounts', 'alice', '--watch', 'balance'],
  ['replay', 'verify'],
  ['replay', 'export'],
  ['replay', 'rebuild', '--check'],
];

/** With --json too: a line of a stream, an object, and what asks the server itself. */
const AS_JSON: ReadonlySet<string> = new Set(['status', 'call', 'replay history', 'replay verify']);

let broker: TestBroker;
/** A command of alice. */
let seq: string;
before(async () => {
  broker = await startBroker({ shipped: ['accounts'], args: ['--durability', 'os'] });
});
after(async () => {
  await broker?.[Symbol.asyncDispose]();
});

/** Runs the built program with its output on a device that takes nothing. */
const intoFull = async (args: readonly string[], which: 'stdout' | 'stderr') => {
  const full = openSync(FULL, 'w');
  try {
    const child = spawn(process.execPath, [tallystickPath(), ...args], {
      env: { ...process.env, ...CLEAN_ENV },
      stdio: ['ignore', which === 'stdout' ? full : 'pipe', which === 'stderr' ? full : 'pipe'],
    });
    let said = '';
    const other = which === 'stdout' ? child.stderr : child.stdout;
    other?.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, said };
  } finally {
    closeSync(full);
  }
};

describe('output that cannot be written', { skip }, () => {
  before(async () => {
    const { code } = await intoFull(
      ['call', 'accounts.deposit', '{"amount":1}', '--agent', 'alice', '--data', broker.dataDir],
      'stderr',
    );
    assert.equal(code, 0);
    const { stdout } = await tallystick(
      ['replay', 'history', '--agent', 'alice', '--limit', '1', '--json'],
      broker,
    );
    seq = `${(JSON.parse(stdout.split('\n')[0] as string) as { seq: number }).seq}`;
  });

  // All write by the same code: the short form has one of each kind of output.
  for (const command of byForm({ short: COMMANDS.filter((_, i) => i % 3 === 0), deep: COMMANDS }))
    for (const form of [command[0] as string, command.slice(0, 2).join(' ')].some((name) => AS_JSON.has(name))
      ? [[], ['--json']]
      : [[]])
      it(`tallystick ${[...command, ...form].join(' ')} > ${FULL} exits 1 and says so`, async () => {
        const args = [...command, ...form].map((arg) => (arg === 'SEQ' ? seq : arg));
        const { code, said } = await intoFull([...args, '--data', broker.dataDir], 'stdout');
        assert.equal(code, 1, said);
        const last = said.trimEnd().split('\n').at(-1) ?? '';
        if (form.length === 0) assert.match(last, /^tallystick: OUTPUT_FAILED: .*ENOSPC/);
        else assert.equal((JSON.parse(last) as { error: { code: string } }).error.code, 'OUTPUT_FAILED');
      });

  it('help and version too', async () => {
    for (const command of [['--help'], ['call', '--help'], ['--version']])
      assert.equal((await intoFull(command, 'stdout')).code, 1, command.join(' '));
  });

  it('a failure that cannot be told keeps its exit code', async () => {
    assert.equal((await intoFull(['status', '--data', '/nowhere'], 'stderr')).code, 3);
    assert.equal((await intoFull(['stauts'], 'stderr')).code, 2);
  });
});
