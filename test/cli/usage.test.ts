import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { type TempDir, tempDir } from '../support/temp-dir.js';
import { type ManyTimes, tallystickManyTimes } from './many-times.js';
import { tallystick } from './tallystick.js';

const COMMANDS = [
  '',
  'start',
  'dev',
  'doctor',
  'env',
  'status',
  'call',
  'agent',
  'agent get',
  'agent list',
  'conversation',
  'conversation get',
  'conversation list',
  'module',
  'module list',
  'module info',
  'module load',
  'module unload',
  'module reload',
  'module remove',
  'module stats',
  'schedule',
  'schedule list',
  'schedule show',
  'schedule cancel',
  'dead',
  'dead list',
  'dead show',
  'dead redrive',
  'bench',
  'burst',
  'replay',
  'replay history',
  'replay trace',
  'replay state',
  'replay verify',
  'replay diff',
  'replay run',
  'replay export',
  'replay import',
  'replay rebuild',
  'completion',
] as const;

const GROUPS: readonly string[] = ['', 'agent', 'conversation', 'module', 'dead', 'schedule', 'replay'];

let dir: TempDir;
let many: ManyTimes;
before(() => {
  dir = tempDir();
  many = tallystickManyTimes(dir.path);
});
after(async () => {
  await many?.[Symbol.asyncDispose]();
  await dir[Symbol.asyncDispose]();
});

type Run = ManyTimes['run'];

const run: Run = (args, env) => many.run(args, env);

/** The built program itself, in a process of its own: for one of each kind, since how it ends is its own too. */
const runBuilt: Run = (args, env = {}) => tallystick(args, { cwd: dir.path, env });

describe('help', () => {
  const BUILT: readonly string[] = ['', 'start', 'replay export'];
  for (const command of COMMANDS) {
    test(`tallystick ${command} --help has examples`, async () => {
      const help = BUILT.includes(command) ? runBuilt : run;
      const { code, stdout, stderr } = await help([...command.split(' ').filter(Boolean), '--help']);
      assert.equal(code, 0);
      assert.equal(stderr, '');
      assert.match(stdout, /\nExamples:\n {2}\$ /);
      assert.ok(stdout.includes(`tallystick ${command}`.trim()));
      if (!GROUPS.includes(command) && command !== 'completion') assert.match(stdout, /--json/);
    });
  }

  test('the version is that of the package', async () => {
    const { code, stdout } = await runBuilt(['--version']);
    assert.equal(code, 0);
    assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
  });
});

describe('a default that --help shows', () => {
  /** Of `--timeout <duration>  how long (default: 30s)`; not prose, such as "a share of what the disk has free". */
  const shown =
    /--([a-z-]+) <[^>]*>((?:(?!--[a-z-]+ <)[\s\S])*?)\((?:choices:[^)]*?,\s+)?default:\s+"?([\w./:-]+)"?(?:[;,][^)]*| as text)?\)/g;

  for (const command of COMMANDS.filter((name) => !GROUPS.includes(name)))
    test(`tallystick ${command}: can be typed`, async () => {
      const { stdout } = await run([...command.split(' '), '--help']);
      for (const [, option, , text] of stdout.matchAll(shown)) {
        // An option that is not known comes last, so that nothing is run.
        const { stderr } = await run([
          ...command.split(' '),
          `--${option}`,
          text as string,
          '--no-such-option',
        ]);
        assert.match(
          stderr,
          /unknown option '--no-such-option'|required option '--module/,
          `--${option} ${text}`,
        );
      }
      assert.doesNotMatch(stdout, /default:\s+\[\]/);
    });
});

describe('wrong usage exits 2', () => {
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['stauts'], /unknown command 'stauts'.*Did you mean status\?/],
    [['status', '--jsn'], /unknown option '--jsn'.*Did you mean --json\?/],
    [['module', 'lst'], /unknown command 'lst'.*Did you mean list\?/],
    [['schedule', 'cancel'], /missing required argument 'id'/],
    [['module', 'info'], /missing required argument 'name'/],
    [['call'], /missing required argument/],
    [['call', 'accounts'], /SUBJECT_INVALID: .*MODULE\.ACTION/],
    [['call', 'accounts.deposit', '{}', '--agent', 'a b'], /NAME_INVALID/],
    [['call', 'accounts.deposit.alice', '{}', '--agent', 'bob'], /--agent names bob/],
    [['call', 'accounts.deposit', '{"amount":'], /USAGE: the payload is not JSON and was not sent/],
    [['call', 'accounts.deposit', '--timeout', '5'], /--timeout: "5" is not a duration/],
    ...['25d', '30d', '1000000h', '99999999999s'].flatMap((long) =>
      [
        ['call', 'accounts.deposit'],
        ['agent', 'get', 'accounts', 'a'],
        ['module', 'load', '.'],
        ['dead', 'redrive', '1'],
        ['replay', 'run'],
      ].map((command) => [[...command, '--timeout', long], /--timeout: .*is longer than 24d/] as const),
    ),
    [['status', '--data', 'x', '--server', 'nats://h'], /--data and --server/],
    [['call', 'accounts.deposit', '--priority', '9'], /--priority: "9" is not one of normal, urgent/],
    [['agent', 'get'], /missing required argument 'module'/],
    [['agent', 'get', 'accounts', 'a b'], /NAME_INVALID: AGENT: the name "a b" is not/],
    [['agent', 'get', 'a.b', 'alice'], /NAME_INVALID: MODULE: /],
    [['agent', 'get', 'accounts', 'alice', '--at-least', '0'], /--at-least: "0" is not a number from 1 on/],
    [['agent', 'get', 'accounts', 'alice', '--at', 'noon'], /--at: "noon" is not one of/],
    [['replay', 'rebuild', 'a.b'], /NAME_INVALID: MODULE: /],
    [['agent', 'list', 'accounts', '--prefix', '*'], /NAME_INVALID: --prefix: /],
    [['agent', 'list', 'accounts', '--limit', 'all'], /--limit: /],
    [['agent', 'list', 'accounts', '--data', 'x', '--server', 'nats://h'], /--data and --server/],
    [['conversation', 'get', 'x'], /SEQ: "x" is not a number from 1 on/],
    [['conversation', 'list', '--agent', 'a b'], /NAME_INVALID: --agent: /],
    [['dead', 'show', 'x'], /SEQ: "x" is not a number from 1 on/],
    [['dead', 'show'], /missing required argument 'seq'/],
    [['dead', 'list', '--limit', '0'], /--limit: /],
    [['dead', 'list', '--module', 'a.b'], /--module: /],
    [['dead', 'redrive'], /name the dead letters .* or give --all/],
    [['dead', 'redrive', '17', '--all'], /name the dead letters .* or give --all/],
    [['dead', 'redrive', '17', '--module', 'orders'], /--module goes with --all/],
    [['replay', 'history', '--from', 'yesterday'], /--from: "yesterday" is not one of/],
    [['replay', 'history', '--to', '2026-13-45T00:00:00Z'], /--to: /],
    [['replay', 'history', '--limit', '0'], /--limit: /],
    [
      ['replay', 'history', '--kind', 'event'],
      /--kind: "event" is not one of cmd, res, evt, step, wake, cancel, restart, signal, epoch/,
    ],
    [['replay', 'history', '--agent', '*'], /--agent: /],
    [['replay', 'history', '--last', '0'], /--last: /],
    [['replay', 'history', '--name', 'a.b'], /NAME_INVALID: --name: /],
    [['replay', 'trace'], /missing required argument 'seq'/],
    [['replay', 'trace', 'x'], /SEQ: "x" is not a number from 1 on/],
    [['replay', 'trace', '17', '--html', '--mermaid'], /--json, --mermaid and --html exclude each other/],
    [['replay', 'trace', '17', '--depth', '0'], /--depth: /],
    [['start', '--nats-port', 'http'], /--nats-port: /],
    [['start', '--durability', 'none'], /--durability: /],
    [['start', '--on-log-loss', 'shrug'], /--on-log-loss: /],
    [['start', '--max-bytes', 'much'], /--max-bytes: "much" is not a size/],
    [
      ['start', '--nats', 'nats://h:4222', '--nats-port', '0'],
      /--nats-port: the port is for the embedded server/,
    ],
    [['start', 'now'], /too many arguments/],
    [['burst', '--kill', 'disk@3'], /--kill: "disk@3" is not WHAT@SECONDS/],
    [['burst', '--kill', 'server@60'], /--kill server@60: the load has ended before that second/],
    [['burst', '--rate', 'fast'], /--rate: /],
    [['burst', '--durability', 'none'], /--durability: "none" is not one of fsync, os/],
    [
      ['burst', '--server', 'nats://h:4222', '--calls', '--kill', 'broker@1'],
      /--kill broker needs a broker that/,
    ],
    [['burst', '--data', 'x', '--calls', '--runs', '2'], /--runs starts a new broker for each run/],
    [
      ['burst', '--data', 'x', '--calls', '--durability', 'os'],
      /the broker that --server or --data names has its own --durability/,
    ],
    [['burst', '--trusted-key', 'x'], /--trusted-key needs a broker that/],
    [['start', '--trust', 'burst'], /--trust MODULE=NKEY: /],
    [['start', '--inspect', 'orders=http'], /--inspect MODULE\[=PORT\]: give MODULE or MODULE=PORT/],
    [['start', '--inspect', 'orders='], /--inspect MODULE\[=PORT\]: /],
    [['start', '--inspect', '=9229'], /--inspect MODULE\[=PORT\]: /],
  ];
  for (const [i, [args, said]] of cases.entries()) {
    test(`tallystick ${args.join(' ')}`, async () => {
      const { code, stdout, stderr } = await (i === 0 ? runBuilt : run)(args);
      assert.match(stderr, said);
      assert.match(stderr, /^tallystick: [A-Z_]+: [^\n]+\n$/);
      assert.equal(stdout, '');
      assert.equal(code, 2);
    });
  }

  test('a group without a subcommand shows its help', async () => {
    for (const group of ['agent', 'module', 'dead', 'schedule', 'replay']) {
      const { code, stdout, stderr } = await (group === 'replay' ? runBuilt : run)([group]);
      assert.equal(code, 2);
      assert.equal(stdout, '');
      assert.match(stderr, new RegExp(`Usage: (?:npx )?tallystick ${group}`));
    }
  });

  test('with --json the error is one JSON object on stderr', async () => {
    for (const args of [
      ['stauts', '--json'],
      ['call', 'x', '--json'],
      ['start', '--nats-port', 'x', '--json'],
    ]) {
      const { code, stdout, stderr } = await (args[0] === 'start' ? runBuilt : run)(args);
      assert.equal(code, 2);
      assert.equal(stdout, '');
      const { error, ...rest } = JSON.parse(stderr) as { error: Record<string, unknown> };
      assert.deepEqual(rest, {});
      assert.equal(typeof error.code, 'string');
      assert.equal(typeof error.message, 'string');
      assert.equal(error.retryable, false);
    }
  });
});

describe('a broker that is not there exits 3 and says what to do', () => {
  const COMMANDS_THAT_CONNECT = [
    ['status'],
    ['call', 'accounts.deposit', '{}'],
    ['module', 'list'],
    ['call', 'accounts.deposit', '{}', '--in', '1h'],
    ['schedule', 'list'],
    ['dead', 'list'],
    ['dead', 'redrive', '17'],
    ['replay', 'history'],
  ];
  for (const args of COMMANDS_THAT_CONNECT) {
    test(`tallystick ${args.join(' ')}`, async () => {
      const ask = args[0] === 'status' ? runBuilt : run;
      const nothing = await ask(args);
      assert.equal(nothing.code, 3);
      assert.match(nothing.stderr, /BROKER_UNREACHABLE: no broker runs in .*\.tallystick; start one with/);
      const refused = await ask([...args, '--server', 'nats://127.0.0.1:1']);
      assert.equal(refused.code, 3);
      assert.match(
        refused.stderr,
        /BROKER_UNREACHABLE: nothing answers at nats:\/\/127\.0\.0\.1:1 \(--server\)/,
      );
      const { code, stderr } = await ask([...args, '--json'], { NATS_URL: 'nats://127.0.0.1:1' });
      assert.equal(code, 3);
      const { error } = JSON.parse(stderr) as {
        error: { code: string; retryable: boolean; message: string };
      };
      assert.deepEqual([error.code, error.retryable], ['BROKER_UNREACHABLE', true]);
      assert.match(error.message, /NATS_URL/);
    });
  }

  test('an address that accepts and says nothing is given up', async (t) => {
    const silent = createServer().listen(0, '127.0.0.1');
    t.after(() => silent.close());
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const { code, stderr } = await run(['status', '--server', `nats://127.0.0.1:${port}`]);
    assert.equal(code, 3);
    assert.match(stderr, /BROKER_UNREACHABLE/);
  });

  test('env needs the data directory of a broker', async () => {
    const { code, stdout, stderr } = await run(['env'], { NATS_URL: 'nats://127.0.0.1:1' });
    assert.deepEqual([code, stdout], [3, '']);
    assert.match(stderr, /BROKER_UNREACHABLE/);
  });

  test('a credential that is not there is wrong usage', async () => {
    const { code, stderr } = await run(['status', '--server', 'nats://127.0.0.1:1', '--creds', 'none.creds']);
    assert.equal(code, 2);
    assert.match(stderr, /the credential .* cannot be read/);
  });
});
