import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { isLeft, right } from 'fp-ts/lib/Either.js';
import { CAGE_LAYERS, type CageLayer } from '../../../schemas/cage.js';
import { type CagePlan, inCage, ownPaths } from '../../../system/cage/caged-command.js';
import { cageFinding, probeKernel } from '../../../system/cage/find-cage.js';
import type { Kernel } from '../../../system/cage/kernel-layers.js';
import { type Act, DONE } from '../../fixtures/modules/hostile/acts.js';
import { runProgram } from '../../support/run-program.js';
import { type TempDir, tempDir } from '../../support/temp-dir.js';

const ACTS = join(import.meta.dirname, '..', '..', 'fixtures', 'modules', 'hostile', 'acts-main.js');
const line = (acts: readonly Act[]) => [process.execPath, [ACTS, JSON.stringify(acts)]] as const;

/** Kernels that lack something. */
const KERNELS: Readonly<Record<string, Kernel>> = {
  'a kernel without Landlock': { landlock: 0, calls: true },
  'Linux 5.13': { landlock: 1, calls: true },
  'Linux 6.2': { landlock: 3, calls: true },
  'Linux 6.7': { landlock: 4, calls: true },
  'Linux 6.12': { landlock: 6, calls: true },
  'a kernel without seccomp': { landlock: 6, calls: false },
};

const listen = (server: Server, at: string | number): Promise<void> =>
  new Promise((resolve) => server.listen(at, resolve));

const held = (kernel: Kernel): readonly CageLayer[] =>
  cageFinding('auto', right(kernel)).status.layers.flatMap(({ layer, holds }) => (holds ? [layer] : []));

describe('the layers of a kernel', () => {
  for (const [name, layers] of Object.entries({
    'a kernel without Landlock': ['calls', 'limits'],
    'Linux 5.13': ['files', 'calls', 'limits'],
    'Linux 6.2': ['files', 'calls', 'limits'],
    'Linux 6.7': ['files', 'ports', 'calls', 'limits'],
    'Linux 6.12': [...CAGE_LAYERS],
    'a kernel without seccomp': ['files', 'ports', 'signals', 'limits'],
  })) {
    it(`${name} has ${layers.join(', ')}`, () => {
      assert.deepEqual(held(KERNELS[name] as Kernel), layers);
    });
  }

  it('a missing layer tells what it needs and what follows', () => {
    const { layers } = cageFinding('auto', right({ landlock: 3, calls: true })).status;
    const { detail } = layers.find(({ layer }) => layer === 'ports') ?? {};
    assert.match(
      detail ?? '',
      /^Landlock has version 3, and needs 4 \(Linux 6\.7\): a module connects to every TCP port/,
    );
  });

  it('without a cage no layer holds, and the reason is the mode', () => {
    const { cage, status } = cageFinding('off', right({ landlock: 7, calls: true }));
    assert.equal(cage, undefined);
    assert.ok(status.layers.every(({ holds, detail }) => !holds && detail.startsWith('the cage is off: ')));
  });
});

const probed = await probeKernel();

it('this machine has a kernel whose layers are known, or each layer is missing with the reason', (t) => {
  const { layers } = cageFinding('auto', probed).status;
  for (const { layer, detail } of layers) t.diagnostic(`${layer}: ${detail}`);
  if (isLeft(probed))
    assert.ok(layers.every(({ holds, detail }) => !holds && detail.startsWith(probed.left)));
  else assert.ok(layers.some(({ layer, holds }) => layer === 'limits' && holds));
});

describe('a program in a cage', { skip: isLeft(probed) ? probed.left : false }, () => {
  let dir: TempDir;
  let own: Kernel;
  let acts: readonly (readonly [CageLayer, Act])[];
  const tcp = createServer();
  const local = createServer();
  const at = (...names: readonly string[]): string => join(dir.path, ...names);

  const plan = (more: Partial<CagePlan> = {}): CagePlan => ({
    dir: at('module'),
    code: [at('module')],
    write: [at('own')],
    connect: [],
    listen: [],
    secret: at('data'),
    ...more,
  });

  /** The outcomes of acts in a cage with the layers of a kernel, as far as the kernel of this machine has them. */
  const outcomes = async (
    kernel: Kernel,
    tried: readonly Act[],
    more: Partial<CagePlan> = {},
  ): Promise<string[]> => {
    const least = { landlock: Math.min(kernel.landlock, own.landlock), calls: kernel.calls && own.calls };
    const { cage } = cageFinding('auto', right(least));
    assert.ok(cage !== undefined);
    const [program, args] = inCage(cage, plan(more), line(tried));
    const { stdout, stderr } = await runProgram(program, args, {
      env: { TMPDIR: at('own') },
      cwd: at('module'),
    });
    assert.notEqual(stdout, '', stderr);
    return JSON.parse(stdout) as string[];
  };

  before(async () => {
    dir = tempDir();
    for (const name of ['module', 'own', 'data', 'elsewhere']) mkdirSync(at(name));
    for (const name of ['module/code.txt', 'own/state', 'data/key', 'elsewhere/private']) {
      writeFileSync(at(name), 'x');
      chmodSync(at(name), 0o600);
    }
    await listen(tcp, 0);
    await listen(local, at('elsewhere', 'socket'));
    if (isLeft(probed)) throw new Error(probed.left);
    own = probed.right;
    const { port } = tcp.address() as AddressInfo;
    acts = [
      ['files', ['read', at('elsewhere', 'private')]],
      ['files', ['write', at('elsewhere', 'private')]],
      ['files', ['create', at('elsewhere', 'planted')]],
      ['files', ['remove', at('elsewhere', 'planted')]],
      ['files', ['list', at('elsewhere')]],
      ['ports', ['connect', port]],
      ['ports', ['listen', 0]],
      ['signals', ['signal', process.pid, 0]],
      ['calls', ['socket', at('elsewhere', 'socket')]],
      ['calls', ['chmod', at('elsewhere', 'private')]],
      ['calls', ['utimes', at('elsewhere', 'private')]],
      ['limits', ['grow', 2 ** 42]],
    ];
  });
  after(async () => {
    tcp.close();
    local.close();
    await dir?.[Symbol.asyncDispose]();
  });

  it('without a cage, each of the acts succeeds', async () => {
    const [program, args] = line(acts.map(([, act]) => act));
    const { stdout, stderr } = await runProgram(program, args, { env: { TMPDIR: at('own') } });
    assert.deepEqual(
      JSON.parse(stdout || stderr),
      acts.map(() => DONE),
    );
  });

  for (const [name, kernel] of Object.entries(KERNELS)) {
    it(`${name} refuses exactly the acts whose layer it has`, async (t) => {
      const found = await outcomes(
        kernel,
        acts.map(([, act]) => act),
      );
      const has = held({
        landlock: Math.min(kernel.landlock, own.landlock),
        calls: kernel.calls && own.calls,
      });
      assert.deepEqual(
        acts.map(([layer, act], i) => [layer, act[0], found[i] === DONE]),
        acts.map(([layer, act]) => [layer, act[0], !has.includes(layer)]),
        found.join(' '),
      );
      for (const [i, [layer, act]] of acts.entries()) {
        if (found[i] === DONE) t.diagnostic(`${layer} is missing: a module can ${act[0]}`);
      }
    });
  }

  it('reads its code, and writes its own directories', async () => {
    const tried: Act[] = [
      ['read', at('module', 'code.txt')],
      ['write', at('own', 'state')],
      ['create', at('own', 'new')],
      ['remove', at('own', 'new')],
      ['grow', 1_000_000],
      ['read', '/etc/hosts'],
      ['signal', 0, 0],
    ];
    assert.deepEqual(
      await outcomes(own, tried),
      tried.map(() => DONE),
    );
    assert.notEqual((await outcomes(own, [['write', at('module', 'code.txt')]]))[0], DONE);
  });

  it('gets what its manifest asks for', async () => {
    const { port } = tcp.address() as AddressInfo;
    const tried: Act[] = [
      ['read', at('elsewhere', 'private')],
      ['write', at('elsewhere', 'private')],
      ['connect', port],
    ];
    const request = { write: ['../elsewhere'], connect: [port] };
    assert.deepEqual(
      await outcomes(own, tried, { request }),
      tried.map(() => DONE),
    );
  });

  it('does not get the data directory, also if its code lies around it', async () => {
    writeFileSync(at('next-to-it.txt'), 'x');
    const tried: Act[] = [
      ['read', at('next-to-it.txt')],
      ['read', at('module', 'code.txt')],
      ['read', at('data', 'key')],
      ['list', at('data')],
    ];
    const found = await outcomes(own, tried, { dir: dir.path, code: [dir.path] });
    assert.deepEqual(
      found.map((outcome) => outcome === DONE),
      [true, true, false, false],
    );
  });

  it('cannot ask for the data directory', () => {
    for (const request of [
      { read: [at('data')] },
      { read: ['../data/key'] },
      { write: [at('data', 'key')] },
    ]) {
      const cage = { layers: new Set(CAGE_LAYERS), landlock: 7, perl: 'perl' };
      assert.throws(() => inCage(cage, plan({ request }), line([])), /is in the broker's data directory/);
    }
    const around = ownPaths(plan({ request: { read: [dir.path] } }), ['', []]);
    assert.ok(around.includes(at('elsewhere')));
    assert.ok(!around.some((path) => path.startsWith(at('data'))));
  });

  it('does not run if a layer cannot be closed, and says why', async () => {
    const launcher = join(import.meta.dirname, '..', '..', '..', '..', 'system', 'cage', 'launch.pl');
    for (const [args, why] of [
      [['--arch=mips', '--', 'echo', 'ran'], /no numbers of system calls for mips/],
      [['--arch=x64', '--layer=walls', '--', 'echo', 'ran'], /unknown option --layer=walls/],
      [[`--arch=${process.arch}`, '--limit=99:1', '--', 'echo', 'ran'], /limit 99: Invalid argument/],
    ] as const) {
      const { code, stdout, stderr } = await runProgram('perl', [launcher, ...args]);
      assert.deepEqual([code, stdout], [126, '']);
      assert.match(stderr, why);
    }
  });

  it('names a program that cannot be run', async () => {
    const { cage } = cageFinding('auto', right(own));
    assert.ok(cage !== undefined);
    const [program, args] = inCage(cage, plan(), ['/no/such/program', []]);
    const { code, stderr } = await runProgram(program, args);
    assert.equal(code, 127);
    assert.match(stderr, /^Error: \/no\/such\/program cannot be run: No such file or directory/);
  });
});
