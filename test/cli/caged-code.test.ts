import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { brokerStatus } from '../support/broker-status.js';
import { startBroker, tallystick, type TestBroker } from '../support/broker.js';
import { byForm } from '../support/form.js';
import { runCommandProcess } from '../support/run-command-line.js';
import { tempDir } from '../support/temp-dir.js';

const home = tempDir();
const dataDir = join(home.path, 'data');
const elsewhere = join(home.path, 'elsewhere');
const planted = join(elsewhere, 'planted');
const built = join(home.path, 'built', 'spy');
const source = join(home.path, 'source');
const tcp = createServer((socket) => {
  connections += 1;
  socket.destroy();
});
let connections = 0;
let broker: TestBroker;
/** The second record of three that change the agent. */
let place = '';

/** The layer of the cage that refuses each act. */
const LAYERS = { read: 'files', write: 'files', connect: 'ports', signal: 'signals', fork: 'calls' } as const;

/** Code that tries its acts when it is loaded, and when it folds an event. It prints what came of them. */
const spyCode = (port: number): string => `
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { spawnSync } from 'node:child_process';
const codeOf = (act) => { try { act(); return 'done'; } catch (error) { return error.code ?? error.message; } };
const acts = () => ({
  read: codeOf(() => readFileSync(${JSON.stringify(join(dataDir, 'keys', 'operator.nk'))})),
  write: codeOf(() => writeFileSync(${JSON.stringify(planted)}, 'x')),
  signal: codeOf(() => process.kill(process.ppid, 0)),
  fork: codeOf(() => { const { error } = spawnSync('true'); if (error) throw error; }),
});
const connected = () => new Promise((resolve) => {
  try {
    const socket = connect(${port}, '127.0.0.1');
    socket.once('connect', () => { socket.destroy(); resolve('done'); });
    socket.once('error', (error) => resolve(error.code));
  } catch (error) {
    resolve(error.code);
  }
});
const say = (when, outcomes) => process.stderr.write('spy ' + JSON.stringify({ when, ...outcomes }) + '\\n');
say('import', { ...acts(), connect: await connected() });
export const spied = {
  initial: { pokes: 0 },
  actions: { poke: { decide: () => ({ _tag: 'Right', right: { data: {}, events: [{ name: 'poked', data: {} }] } }) } },
  evolve: {
    poked: ({ pokes }) => {
      void connected();
      say('fold', acts());
      return { pokes: pokes + 1 };
    },
  },
};
`;

const MANIFEST = {
  name: 'spy',
  version: '1.0.0',
  description: 'Tries what it may not.',
  actions: {
    poke: { description: 'Stores an event.', input: { type: 'object' }, output: { type: 'object' } },
  },
  events: { poked: { description: 'It was poked.', data: { type: 'object' } } },
};

interface SpyLine extends Partial<Record<keyof typeof LAYERS, string>> {
  readonly when: 'import' | 'fold';
}

const linesIn = (text: string): readonly SpyLine[] =>
  text.split('\n').flatMap((line) => {
    const at = line.indexOf('spy {');
    return at < 0 ? [] : [JSON.parse(line.slice(at + 4)) as SpyLine];
  });

/** What a command tried, and what succeeded although a layer that this machine has refuses it. */
const tried = async (
  args: readonly string[],
): Promise<{ readonly when: readonly string[]; readonly done: string[] }> => {
  const { code, stderr } = await runCommandProcess([...args, '--data', dataDir], {});
  assert.equal(code, 0, `${args.join(' ')}: ${stderr}`);
  const { cage } = await brokerStatus(dataDir);
  const holds = (layer: string): boolean => cage.layers.some((each) => each.layer === layer && each.holds);
  const lines = linesIn(stderr);
  const acts = Object.entries(LAYERS).filter(([, layer]) => holds(layer));
  const done = lines.flatMap((line) =>
    acts.flatMap(([act]) => (line[act as keyof typeof LAYERS] === 'done' ? [`${line.when}: ${act}`] : [])),
  );
  return { when: [...new Set(lines.map(({ when }) => when))].sort(), done };
};

const start = (...args: readonly string[]): Promise<TestBroker> =>
  startBroker({ dataDir, args: ['--no-shipped', '--durability', 'os', '--module', built, ...args] });

before(async () => {
  for (const dir of [elsewhere, built, source]) mkdirSync(dir, { recursive: true });
  await new Promise<void>((resolve) => tcp.listen(0, '127.0.0.1', resolve));
  const code = spyCode((tcp.address() as AddressInfo).port);
  const manifest = JSON.stringify({ ...MANIFEST, start: { entry: './index.js' } });
  writeFileSync(join(built, 'package.json'), '{"type":"module"}');
  writeFileSync(join(built, 'manifest.json'), manifest);
  writeFileSync(join(built, 'index.js'), `${code}\nexport default { manifest: ${manifest}, ...spied };\n`);
  writeFileSync(
    join(source, 'scout.mjs'),
    `${code}
export default { manifest: { ...${JSON.stringify(MANIFEST)}, name: 'scout', start: { entry: './index.js' } }, ...spied };\n`,
  );
  broker = await start();
  for (let i = 0; i < 3; i += 1)
    assert.equal((await tallystick(['call', 'spy.poke', '{}', '--agent', 'ann'], { dataDir })).code, 0);
  const steps = await tallystick(['replay', 'state', 'spy', 'ann', '--step', '--json'], { dataDir });
  place = `${(JSON.parse(steps.stdout.split('\n')[1] ?? '') as { readonly seq: number }).seq}`;
});
after(async () => {
  tcp.close();
  await broker?.[Symbol.asyncDispose]();
  await home[Symbol.asyncDispose]();
});

interface CodeCommand {
  readonly args: () => readonly string[];
  readonly when: readonly string[];
}

const FOLDS = ['fold', 'import'];
const [STATE, AT, REBUILD, CHECK, VERIFY, RUN, DIFF, LOAD]: readonly CodeCommand[] = [
  { args: () => ['replay', 'state', 'spy', 'ann', '--step', '--module', built, '--json'], when: FOLDS },
  { args: () => ['agent', 'get', 'spy', 'ann', '--at', place, '--json'], when: FOLDS },
  { args: () => ['replay', 'rebuild', 'spy', '--json'], when: FOLDS },
  { args: () => ['replay', 'rebuild', 'spy', '--check', '--json'], when: FOLDS },
  { args: () => ['replay', 'verify', '--json'], when: FOLDS },
  { args: () => ['replay', 'run', '--from', '1', '--json'], when: ['import'] },
  { args: () => ['replay', 'diff', 'spy', '--module', built, '--json'], when: FOLDS },
  { args: () => ['module', 'load', join(source, 'scout.mjs'), '--json'], when: ['import'] },
];
/** Commands that fold with the code of the module, or load it. All of them have it from the same three functions. */
const COMMANDS = byForm({
  short: [STATE, REBUILD, LOAD],
  deep: [STATE, AT, REBUILD, CHECK, VERIFY, RUN, DIFF, LOAD],
}) as readonly CodeCommand[];

describe('the code of a hostile module, run by a command', () => {
  for (const { args, when } of COMMANDS)
    test(`${args().slice(0, 2).join(' ')}: it reads no key, writes nothing, reaches no port and no process`, async () => {
      const outcome = await tried(args());
      assert.deepEqual(outcome, { when, done: [] });
      assert.deepEqual([connections, existsSync(planted)], [0, false]);
    });

  test('what it folds is what its host folds', async () => {
    const { stdout } = await tallystick(['agent', 'get', 'spy', 'ann', '--json'], { dataDir });
    assert.deepEqual((JSON.parse(stdout) as { state: unknown }).state, { pokes: 3 });
    const steps = await tallystick(['replay', 'state', 'spy', 'ann', '--step', '--json'], { dataDir });
    const states = steps.stdout
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { state: unknown }).state);
    assert.deepEqual(states, [{ pokes: 1 }, { pokes: 2 }, { pokes: 3 }]);
  });

  test('with the cage off, its acts succeed: the list above is no list of nothing', async () => {
    await broker.stop();
    broker = await start('--cage', 'off');
    const steps = ['replay', 'state', 'spy', 'ann', '--step', '--json', '--data', dataDir];
    const { stderr } = await runCommandProcess(steps);
    const [first] = linesIn(stderr);
    assert.deepEqual([first?.read, first?.fork, first?.connect], ['done', 'done', 'done']);
    assert.ok(readFileSync(planted));
  });
});
