/**
 * `npm run test:package`: installs what `npm pack` makes into empty projects, as users do, and runs it there on each
 * version of Node that we support. Needs the registry: npm and pnpm fetch what the package depends on.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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

/**
 * Settings of a project without `"type": "module"`, whose compiled files call require(). TypeScript says no to require()
 * of a package of modules if the settings stand for a Node that cannot do it.
 */
const COMMONJS = [
  { module: 'CommonJS', moduleResolution: 'Bundler' },
  { module: 'Node20' },
  { module: 'NodeNext' },
  { module: 'Node16', refusal: /TS1479/ },
];
/** The last release of Node 20 before require() of modules. */
const WITHOUT_REQUIRE = '20.18';

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

/** The command line of the compiler, with the types of Node that we have. */
const TSC = [
  join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc'),
  '--typeRoots',
  join(ROOT, 'node_modules', '@types'),
];

const check = (name, dir) => {
  run(`${name}: types, strict, with declarations`, process.execPath, TSC, { cwd: dir });
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

const checkCommonJs = (dir) => {
  writeFileSync(join(dir, 'package.json'), '{"private":true}\n');
  for (const { module, moduleResolution, refusal } of COMMONJS) {
    const what = `CommonJS, module ${module}`;
    const outDir = `out-${module}`;
    const own = { module, outDir, esModuleInterop: true, ...(moduleResolution && { moduleResolution }) };
    const config = { compilerOptions: { ...TSCONFIG.compilerOptions, ...own }, files: ['counter.ts'] };
    writeFileSync(join(dir, 'tsconfig.json'), JSON.stringify(config));
    if (refusal !== undefined) {
      const { status, stdout } = spawnSync(process.execPath, TSC, { cwd: dir, encoding: 'utf8' });
      expect(`${what}: the compiler refuses the import`, status !== 0 && refusal.test(stdout), stdout);
      continue;
    }
    run(`${what}: types, strict, with declarations`, process.execPath, TSC, { cwd: dir });
    const compiled = join(outDir, 'counter.js');
    expect(
      `${what}: compiles to require()`,
      readFileSync(join(dir, compiled), 'utf8').includes('require("tallystick")'),
      '',
    );
    for (const version of VERSIONS)
      run(`${what}, Node ${version}: a module and its test`, installNode(version), [compiled], { cwd: dir });
    const old = spawnSync(installNode(WITHOUT_REQUIRE), [compiled], { cwd: dir, encoding: 'utf8' });
    expect(
      `${what}, Node ${WITHOUT_REQUIRE}: ERR_REQUIRE_ESM`,
      /ERR_REQUIRE_ESM/.test(old.stderr),
      old.stderr,
    );
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
  const byNpm = npm('npm');
  check('npm', byNpm);
  checkCommonJs(byNpm);
  check('npm, next to the older NATS client', npm('npm-nats-2', OLD_NATS));
  check(
    'pnpm',
    project(home, 'pnpm', (dir) => run('pnpm: pnpm add', 'npx', ['-y', PNPM, 'add', packed], { cwd: dir })),
  );
} finally {
  rmSync(home, { recursive: true, force: true });
}
process.exitCode = failures.length === 0 ? 0 : 1;
