/**
 * `npm run test:package`: installs what `npm pack` makes into empty projects, as users do, and runs it there on each
 * version of Node that we support. Needs the registry: npm and pnpm fetch what the package depends on.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { installNode, VERSIONS } from './node-versions.mjs';

const ROOT = join(import.meta.dirname, '..');
const PNPM = 'pnpm@9';
/** The older NATS client has the name under which we take the newer one. */
const OLD_NATS = 'nats@2';

const MODULE = `import { defineModule, ok, Type } from 'tallystick';
import { specification } from 'tallystick/testing';

const counter = defineModule({
  name: 'counter',
  version: '1.0.0',
  description: 'Counts.',
  state: { n: 0 },
  events: { counted: { data: Type.Object({ by: Type.Integer() }), evolve: ({ n }, { by }) => ({ n: n + by }) } },
  actions: {
    count: {
      input: Type.Object({ by: Type.Integer() }),
      output: Type.Object({ n: Type.Integer() }),
      decide: ({ n }, { by }) => ok({ n: n + by }, { counted: { by } }),
    },
  },
});

specification(counter).agent('a').when('count', { by: 2 }).thenDecided({
  data: { n: 2 },
  events: [{ name: 'counted', data: { by: 2 } }],
  state: { n: 2 },
});
export default counter;
`;

/** Every type that a user's own declarations may have to name: none may be missing, also where pnpm hides packages. */
const TYPED = `import { connect, type Tally } from 'tallystick';
import counter from './counter.js';

export const open = async (): Promise<Tally> => connect();
export const count = async (): Promise<number> => {
  const tally = await connect({ server: 'nats://127.0.0.1:1' });
  const { n } = await tally.agent(counter, 'a').count({ by: 1 });
  await tally.close();
  return n;
};
`;

const TSCONFIG = {
  compilerOptions: {
    target: 'ES2023',
    lib: ['ES2023', 'ESNext.Disposable'],
    module: 'NodeNext',
    strict: true,
    exactOptionalPropertyTypes: true,
    // The declarations of lmdb and of the NATS client have errors under these settings.
    skipLibCheck: true,
    declaration: true,
    noEmit: false,
    outDir: 'out',
    types: ['node'],
  },
};

const failures = [];

const run = (what, program, args, options = {}) => {
  const { status, stdout, stderr } = spawnSync(program, args, {
    encoding: 'utf8',
    timeout: 300_000,
    ...options,
  });
  const passed = status === 0;
  process.stdout.write(`${passed ? '✔' : '✖'} ${what}\n`);
  if (!passed) {
    failures.push(what);
    process.stdout.write(`${stdout}${stderr}\n`);
  }
  return `${stdout}${stderr}`;
};

const expect = (what, isTrue, found) => {
  process.stdout.write(`${isTrue ? '✔' : '✖'} ${what}\n`);
  if (isTrue) return;
  failures.push(what);
  process.stdout.write(`${found}\n`);
};

const project = (home, name, install) => {
  const dir = join(home, name);
  mkdirSync(dir);
  writeFileSync(join(dir, 'package.json'), '{"private":true,"type":"module"}\n');
  install(dir);
  writeFileSync(join(dir, 'counter.ts'), MODULE);
  writeFileSync(join(dir, 'counter.mjs'), MODULE);
  writeFileSync(join(dir, 'typed.ts'), TYPED);
  writeFileSync(join(dir, 'require.cjs'), "const { ok } = require('tallystick'); console.log(ok(1)._tag);\n");
  writeFileSync(join(dir, 'tsconfig.json'), JSON.stringify(TSCONFIG));
  return dir;
};

const check = (name, dir) => {
  run(
    `${name}: types, strict, with declarations`,
    process.execPath,
    [
      join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc'),
      '--typeRoots',
      join(ROOT, 'node_modules', '@types'),
    ],
    { cwd: dir },
  );
  for (const version of VERSIONS) {
    const node = installNode(version);
    const env = { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH}` };
    run(`${name}, Node ${version}: a module and its test`, node, ['counter.mjs'], { cwd: dir, env });
    const bin = join('node_modules', '.bin', 'tallystick');
    run(`${name}, Node ${version}: the command line`, bin, ['--version'], { cwd: dir, env });
    const { stdout, stderr } = spawnSync(node, ['require.cjs'], { cwd: dir, env, encoding: 'utf8' });
    expect(`${name}, Node ${version}: require()`, stdout.trim() === 'Right', `${stdout}${stderr}`);
  }
};

const home = mkdtempSync(join(tmpdir(), 'try-package-'));
try {
  run('npm pack', 'npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', home], { cwd: ROOT });
  const packed = join(home, `tallystick-${process.env.npm_package_version ?? '0.1.0'}.tgz`);
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
  const npm = (name, ...packages) =>
    project(home, name, (dir) =>
      run(`${name}: npm install`, 'npm', ['install', ...quiet, packed, ...packages], { cwd: dir }),
    );
  check('npm', npm('npm'));
  check('npm, next to the older NATS client', npm('npm-nats-2', OLD_NATS));
  check(
    'pnpm',
    project(home, 'pnpm', (dir) => run('pnpm: pnpm add', 'npx', ['-y', PNPM, 'add', packed], { cwd: dir })),
  );
} finally {
  rmSync(home, { recursive: true, force: true });
}
process.exitCode = failures.length === 0 ? 0 : 1;
