import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { after, before, describe, it } from 'node:test';
import purse from '../fixtures/modules/purse/index.js';
import { connect, type ConnectOptions } from '../../modules/client/index.js';
import { Refused } from '../../modules/sdk/index.js';
import { startBroker, type TestBroker } from '../support/broker.js';
import { PROJECT_ROOT } from '../support/project-root.js';
import { runProgram } from '../support/run-program.js';
import { tempDir } from '../support/temp-dir.js';

const dir = tempDir();
const broken = join(dir.path, 'broken');
const UNKNOWN = 'nats://127.0.0.1:1';
/** An option of the command line, which a program does not have. */
const FLAG = /(?:^|\s)--[a-z]/;
const WAYS =
  'start one with `npx tallystick start`, or name one with `data` or `server` of connect(), or with NATS_URL';

let broker: TestBroker;
before(async () => {
  mkdirSync(broken);
  writeFileSync(join(broken, 'broker.json'), '{');
  broker = await startBroker({ shipped: [], args: ['--durability', 'os'] });
});
after(async () => {
  await broker?.[Symbol.asyncDispose]();
  await dir[Symbol.asyncDispose]();
});

const refusal = async (work: Promise<unknown>): Promise<Refused> => {
  const [done] = await Promise.allSettled([work]);
  assert.ok(done.status === 'rejected' && done.reason instanceof Refused, JSON.stringify(done));
  return done.reason;
};

describe('connect() that is refused', () => {
  const refused: readonly (readonly [
    title: string,
    options: () => ConnectOptions,
    code: string,
    text: string,
  ])[] = [
    ['no broker in the directory', () => ({ data: dir.path }), 'BROKER_UNREACHABLE', WAYS],
    [
      'no server at the address',
      () => ({ server: UNKNOWN }),
      'BROKER_UNREACHABLE',
      `(\`server\`): connection refused; ${WAYS}`,
    ],
    [
      'two places',
      () => ({ server: UNKNOWN, data: dir.path }),
      'USAGE',
      '`data` and `server` both name a broker',
    ],
    ['a broken address', () => ({ data: broken }), 'DATA_DIR_UNUSABLE', 'or name a server with `server`'],
    [
      'no credential',
      () => ({ server: broker.url, creds: join(dir.path, 'none') }),
      'USAGE',
      'none cannot be read',
    ],
  ];
  for (const [title, options, code, text] of refused)
    it(`names what a program can set, and where it was called: ${title}`, async () => {
      const why = await refusal(connect(options()));
      assert.equal(why.code, code);
      assert.ok(why.message.includes(text), why.message);
      assert.doesNotMatch(why.message, FLAG);
      assert.doesNotMatch(why.message, /\n/);
      const frames = (why.stack ?? '').split('\n').filter((line) => /^ {4}at .*\.[jt]s:\d/.test(line));
      assert.match(frames[0] ?? '', /connect\.test/, why.stack);
    });

  it('gets a state from the broker, and its refusal, if it knows no data directory', async () => {
    await using tally = await connect({ server: broker.url });
    const { code } = await refusal(tally.state(purse, 'anna'));
    assert.equal(code, 'MODULE_UNKNOWN');
  });
});

describe('a program that does not catch the refusal', () => {
  const entry = pathToFileURL(join(PROJECT_ROOT, 'dist', 'modules', 'entry.js')).href;
  const program = join(dir.path, 'program.mjs');

  it('prints one line of text, and no line of this package', async () => {
    writeFileSync(program, `import { connect } from '${entry}';\nawait connect();\n`);
    const { code, stderr } = await runProgram(process.execPath, [program], {
      cwd: dir.path,
      env: { NATS_URL: undefined },
    });
    assert.equal(code, 1);
    const place = join(dir.path, '.tallystick');
    const lines = stderr.split('\n');
    const text = `Refused: BROKER_UNREACHABLE: no broker runs in ${place}; ${WAYS}`;
    assert.equal(lines.filter((line) => line === text).length, 1, stderr);
    assert.match(lines[0] ?? '', /program\.mjs:2$/);
    assert.deepEqual(
      lines.filter((line) => line.includes(`${PROJECT_ROOT}/dist/`)),
      [],
    );
    assert.doesNotMatch(stderr, FLAG);
    assert.doesNotMatch(stderr, /Symbol\(/);
  });

  it('is told that NATS_URL names another address than the broker of its directory', async () => {
    mkdirSync(join(dir.path, 'here', '.tallystick'), { recursive: true });
    writeFileSync(join(dir.path, 'here', '.tallystick', 'broker.json'), '{}');
    writeFileSync(program, `import { connect } from '${entry}';\nawait connect();\n`);
    const { stderr } = await runProgram(process.execPath, [program], {
      cwd: join(dir.path, 'here'),
      env: { NATS_URL: UNKNOWN },
    });
    assert.match(stderr, /and \.\/\.tallystick has a broker: unset NATS_URL or use `data`$/m);
  });
});
