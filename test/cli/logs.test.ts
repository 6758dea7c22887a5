import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { connect } from 'nats';
import type { LogLine } from '../../schemas/log-lines.js';
import { OPS } from '../../schemas/operate.js';
import { startBroker, type TestBroker } from '../support/broker.js';
import { collectLines } from '../support/lines.js';
import { tallystickPath } from '../support/program-paths.js';
import { sourceManifest, writeSourceModule } from '../support/source-module.js';
import { type TempDir, tempDir } from '../support/temp-dir.js';
import { waitFor } from '../support/wait-for.js';
import { CLEAN_ENV, tallystick } from './tallystick.js';

const ACTION = { input: { type: 'object' }, output: {} };
const MANIFEST = sourceManifest('chatty', {
  actions: { pure: ACTION, effect: ACTION, flood: ACTION, throws: { ...ACTION, retry: { attempts: 1 } } },
  events: {},
});
const CODE = `
console.info('it is loaded');
const nothing = { _tag: 'Right', right: { data: {} } };
export default {
  manifest: ${JSON.stringify(MANIFEST)},
  initial: {},
  actions: {
    pure: {
      decide: (_, { data }) => {
        console.log('pure %s', data.word, { a: 1 });
        console.error('\\u001b[2Jred\\nand a second line');
        console.debug('fine print');
        process.stdout.write('half ');
        process.stdout.write('a line\\n');
        return nothing;
      },
    },
    effect: {
      run: ({ data }) => async () => {
        console.warn('begins ' + data.word);
        await new Promise((resolve) => setTimeout(resolve, 5));
        console.log('ends ' + data.word);
        return nothing;
      },
    },
    flood: {
      decide: () => {
        for (let i = 0; i < 3000; i++) console.log('flood ' + i);
        return nothing;
      },
    },
    throws: { decide: () => { throw new Error('oh no'); } },
  },
  evolve: {},
};
`;

describe('logs', () => {
  let home: TempDir;
  let data: string;
  let broker: TestBroker;

  const start = async (): Promise<void> => {
    broker = await startBroker({
      dataDir: data,
      args: [
        '--no-shipped',
        '--durability',
        'os',
        '--log-format',
        'auto',
        '--module',
        join(home.path, 'chatty'),
      ],
    });
  };

  before(async () => {
    home = tempDir();
    data = join(home.path, 'data');
    writeSourceModule(join(home.path, 'chatty'), MANIFEST, {
      'package.json': '{"type":"module"}',
      'index.js': CODE,
    });
    await start();
  });
  after(async () => {
    await broker?.[Symbol.asyncDispose]();
    await home?.[Symbol.asyncDispose]();
  });

  const cli = async (...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await tallystick([...args, '--data', data], { cwd: home.path });
    assert.equal(code, 0, stderr);
    return stdout;
  };
  const call = async (action: string, agent: string, word = ''): Promise<void> => {
    await tallystick([
      'call',
      `chatty.${action}`,
      JSON.stringify({ word }),
      '--agent',
      agent,
      '--data',
      data,
    ]);
  };
  const lines = async (...args: readonly string[]): Promise<readonly LogLine[]> =>
    (await cli('logs', '--json', '--lines', '500', ...args))
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as LogLine);
  const line = (wanted: string): Promise<LogLine> =>
    waitFor(`the line ${wanted}`, async () =>
      (await lines('chatty')).find(({ msg }) => msg.includes(wanted)),
    );

  it('a line of a handler has level, module, command, conversation and agent', async () => {
    await call('pure', 'ann', 'yes');
    await call('effect', 'bob', 'slow');
    const pure = await line('pure yes');
    const commands = await cli('replay', 'history', '--json');
    const [command] = commands
      .split('\n')
      .filter((each) => each.includes('"cmd.'))
      .map((each) => JSON.parse(each) as { readonly seq: number });
    assert.equal(pure.msg, 'pure yes { a: 1 }');
    const { n: _, k: __, time, ...rest } = pure;
    assert.ok(Math.abs(Date.now() - new Date(time).getTime()) < 600_000);
    const of = { module: 'chatty', seq: command?.seq, conversation: command?.seq, agent: 'ann' };
    assert.deepEqual(rest, { level: 'info', source: 'chatty', ...of, msg: 'pure yes { a: 1 }' });
    const red = await line('red');
    assert.deepEqual([red.level, red.seq, red.msg], ['error', pure.seq, '\u001b[2Jred\nand a second line']);
    assert.equal((await line('fine print')).level, 'debug');
    const half = await line('half a line');
    assert.deepEqual([half.module, half.seq, half.msg], ['chatty', undefined, 'half a line']);
    const [begins, ends] = [await line('begins slow'), await line('ends slow')];
    assert.deepEqual([begins.level, begins.agent, ends.level, ends.agent], ['warn', 'bob', 'info', 'bob']);
    assert.equal(begins.seq, ends.seq);
    assert.notEqual(begins.seq, pure.seq);
    const loaded = await line('it is loaded');
    assert.equal(loaded.seq, undefined);
  });

  it('the broker prints the same lines as JSON in a pipe, at the level that is asked for', async () => {
    const printed = broker.stderr.map((each) => JSON.parse(each) as LogLine);
    const kept = await line('pure yes');
    const { n: _, k: __, time: ___, ...same } = kept;
    const found = printed.find(({ msg }) => msg === kept.msg);
    const { time: ____, ...shown } = found ?? { time: '' };
    assert.deepEqual(shown, same);
    assert.ok(!printed.some(({ msg }) => msg === 'fine print'), 'it is below the level');
  });

  it('text has one line each, its command, and no character that controls a terminal', async () => {
    const text = await cli('logs', 'chatty');
    assert.match(text, /^\S+Z \[chatty\] pure yes \{ a: 1 \} \(command \d+, agent ann\)$/m);
    assert.match(text, /^\S+Z ERROR \[chatty\] \\u001b\[2Jred$/m);
    assert.match(text, /^\S+Z ERROR \[chatty\] and a second line \(command \d+, agent ann\)$/m);
    assert.ok(!text.includes('\u001b'));
  });

  it('what a handler throws is an error line about its command', async () => {
    await call('throws', 'ann');
    const thrown = await line('chatty.throws failed');
    assert.equal(thrown.level, 'error');
    assert.ok(thrown.msg.includes('oh no') && thrown.seq !== undefined);
  });

  it('chooses by level, time, module and number', async () => {
    const warned = await lines('--level', 'warn');
    assert.ok(warned.length > 0 && warned.every(({ level }) => level === 'warn' || level === 'error'));
    const newest = (await lines('chatty')).at(-1);
    const few = await lines('chatty', '--lines', '2');
    assert.equal(few.length, 2);
    assert.deepEqual(few.at(-1), newest);
    const since = newest?.time ?? '';
    assert.ok((await lines('--since', since)).every(({ time }) => time >= since));
    const unknown = await tallystick(['logs', 'nobody', '--data', data]);
    assert.deepEqual([unknown.code, unknown.stdout], [1, '']);
    assert.match(unknown.stderr, /MODULE_UNKNOWN: there is no module nobody/);
    const odd = await tallystick(['logs', '--level', 'loud', '--data', data]);
    assert.deepEqual([odd.code, odd.stdout], [2, '']);
  });

  it('is for operators: a guest is refused', async () => {
    const guest = await connect({ servers: broker.url });
    await assert.rejects(guest.request(OPS.logs, '{}', { timeout: 1_000 }));
    await guest.close();
  });

  it('follows over a restart of the broker: no line twice, none left out', async () => {
    const child = spawn(
      process.execPath,
      [tallystickPath(), 'logs', 'chatty', '--follow', '--json', '--lines', '1', '--data', data],
      { env: CLEAN_ENV, stdio: ['ignore', 'pipe', 'pipe'] },
    );
    const out = collectLines(child.stdout);
    const err = collectLines(child.stderr);
    const followed = (): readonly LogLine[] => out.map((each) => JSON.parse(each) as LogLine);
    const shows = (msg: string): Promise<true> =>
      waitFor(
        `${msg}; stderr: ${err.join()}`,
        () => followed().some((each) => each.msg.includes(msg)) || undefined,
      );
    try {
      await waitFor('the last line', () => out[0]);
      await call('effect', 'cy', 'before');
      await shows('ends before');
      await broker.stop();
      await waitFor('a note', () => err.some((each) => each.includes('does not answer')) || undefined);
      await start();
      await call('effect', 'cy', 'behind');
      await shows('ends behind');
      const numbers = followed().map(({ n }) => n);
      assert.deepEqual(
        numbers,
        [...new Set(numbers)].sort((a, b) => a - b),
      );
      const kept = (await lines('chatty')).filter(
        ({ n }) => n >= (numbers[0] ?? 0) && n <= (numbers.at(-1) ?? 0),
      );
      assert.deepEqual(followed(), kept);
    } finally {
      child.kill('SIGKILL');
    }
  });

  it('a flood is limited, told, and drops no line of others', async () => {
    const before = await lines('--level', 'error');
    await call('flood', 'ann');
    const isShown = ({ msg }: LogLine): boolean => msg.startsWith('flood ');
    const leftOut = ({ level, msg }: LogLine): number =>
      level === 'warn'
        ? Number(/^(\d+) more lines were left out; the last one: flood/.exec(msg)?.[1] ?? 0)
        : 0;
    await waitFor('each line to be shown or counted', async () => {
      const all = await lines('chatty', '--lines', '4000');
      const left = all.reduce((sum, each) => sum + leftOut(each), 0);
      return left > 0 && all.filter(isShown).length + left === 3000 ? true : undefined;
    });
    assert.deepEqual(await lines('--level', 'error'), before);
  });
});
