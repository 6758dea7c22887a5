import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { join } from 'node:path';
import fc from 'fast-check';
import { manifest } from '../fixtures/modules/faulty/manifest.js';
import { startBroker, type TestBroker } from '../support/broker.js';
import { writeModule } from '../support/module-dir.js';
import { natsCommand } from '../support/requests.js';
import { PROJECT_ROOT } from '../support/project-root.js';
import { type TempDir, tempDir } from '../support/temp-dir.js';
import { waitFor } from '../support/wait-for.js';
import { type ManyTimes, tallystickManyTimes } from './many-times.js';

const between = (first: number, last: number): string[] =>
  Array.from({ length: last - first + 1 }, (_, i) => String.fromCodePoint(first + i));

/** What steers a terminal, ends a line, or turns the direction of writing. */
const STEERING = [
  ...between(0x00, 0x1f),
  ...between(0x7f, 0x9f),
  ...['\u061c', '\u200e', '\u200f', '\u2028', '\u2029', '\ufeff'],
  ...between(0x202a, 0x202e),
  ...between(0x2066, 0x2069),
];
const SEQUENCES = [
  '\u001b[2J',
  '\u001b]0;title\u0007',
  '\u001b[8mhidden',
  '\u009b31m',
  '\r\ntallystick: OK: all is well',
  '\u202etxt.exe',
];

const foreign = fc
  .array(fc.oneof(fc.constantFrom(...STEERING), fc.constantFrom(...SEQUENCES), fc.string({ maxLength: 4 })), {
    minLength: 1,
    maxLength: 12,
  })
  .map((parts) => parts.join(''));

const steers = new RegExp(
  `[${STEERING.filter((c) => c !== '\n')
    .map((c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('')}]`,
);

let dir: TempDir;
let broker: TestBroker;
let many: ManyTimes;

before(async () => {
  dir = tempDir();
  const raw = join(PROJECT_ROOT, 'test', 'fixtures', 'modules', 'raw');
  const faulty = await writeModule(join(dir.path, 'faulty'), 'faulty', manifest);
  const modules = ['--no-shipped', '--module', raw, '--module', faulty];
  broker = await startBroker({ args: ['--durability', 'os', ...modules] });
  many = tallystickManyTimes(dir.path);
});
after(async () => {
  await many?.[Symbol.asyncDispose]();
  await broker?.[Symbol.asyncDispose]();
  await dir?.[Symbol.asyncDispose]();
});

const run = (...args: readonly string[]) => many.run([...args, '--data', broker.dataDir]);

/** What a module of somebody else answers: the words are its own. */
const answer = (words: string): string =>
  JSON.stringify({
    text: JSON.stringify({
      status: 'rejected',
      error: { code: 'ODD', message: words, path: `/${words}`, retryable: false },
    }),
  });

describe('what others wrote, on a terminal', () => {
  const samples = fc.sample(foreign, { numRuns: 4, seed: 16 }).concat(STEERING.join(''), SEQUENCES.join(''));

  for (const [i, words] of samples.entries())
    it(`is shown and steers nothing: ${JSON.stringify(words).slice(0, 60)}`, async () => {
      const seq = await natsCommand(broker.url, `faulty.throws.a${i}`, JSON.stringify({ bytes: 1, words }));
      await waitFor('the dead letter', async () => (await run('dead', 'show', `${seq}`)).code === 0);
      const called = await run('call', 'raw.store', answer(words), '--agent', `b${i}`);
      assert.equal(called.code, 1);
      assert.match(called.stderr, /^tallystick: ODD: /);
      assert.equal(called.stderr.split('\n').filter((line) => /^\S/.test(line)).length, 1);
      const scheduled = await run(
        'call',
        'raw.store',
        answer(words),
        '--agent',
        `c${i}`,
        '--in',
        '1h',
        '--json',
      );
      const { id } = JSON.parse(scheduled.stdout) as { id: string };
      const commands: readonly (readonly string[])[] = [
        ['dead', 'list'],
        ['dead', 'show', `${seq}`],
        ['schedule', 'list'],
        ['schedule', 'show', id],
        ['replay', 'history', '--agent', `a${i}`],
        ['replay', 'trace', `${seq}`],
        ['conversation', 'get', `${seq}`],
      ];
      for (const command of commands) {
        for (const form of [[], ['--json']]) {
          const { stdout, stderr } = await run(...command, ...form);
          assert.doesNotMatch(stdout, steers, `${command.join(' ')} ${form.join('')}`);
          assert.doesNotMatch(stderr, steers, `${command.join(' ')} ${form.join('')}`);
          if (form.length > 0) for (const line of stdout.split('\n')) if (line !== '') JSON.parse(line);
        }
      }
      const { stdout } = await run('call', 'raw.store', answer(words), '--agent', `b${i}`, '--json');
      assert.doesNotMatch(stdout, steers);
      assert.equal((JSON.parse(stdout) as { error: { message: string } }).error.message, words);
    });
});
