/**
 * Puts each program and each public entry of dist/ into few files: the parts that they share are in dist/chunks/.
 *
 * A command of the command line loaded 200 to 600 files before, a host of a module 240. Node spends longer on a file than
 * on what is in it. The other files of dist/ stay as the compiler wrote them: tests load them one by one.
 */
import { chmodSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { build } from 'esbuild';
import { bundledLmdb } from './bundled-lmdb.mjs';
import { typeboxChanges } from './typebox-changes.mjs';

const ROOT = join(import.meta.dirname, '..');
const DIST = join(ROOT, 'dist');
const CHUNKS = join(DIST, 'chunks');

/** Programs, threads, public entries and shipped modules: the files of the package that Node loads by their paths. */
const { bin, files } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const ENTRIES = files
  .filter((path) => /^dist\/.*\.js$/.test(path))
  .map((path) => path.replace(/^dist\//, '').replace(/\.js$/, '.ts'));

const typebox = typeboxChanges((name) => ({ path: join(ROOT, 'schemas', `${name}.ts`) }));

/** fp-ts as modules: of its other form the bundle would take every function. */
const fpts = {
  name: 'fp-ts',
  setup(it) {
    it.onResolve({ filter: /^fp-ts\/lib\// }, ({ path }) => ({
      path: join(ROOT, 'node_modules', path.replace('/lib/', '/es6/')),
      sideEffects: false,
    }));
  },
};

/** Node's assert opens the standard error to learn its colours; two packages use it only for what never happens. */
const light = {
  name: 'light',
  setup(it) {
    const only = (filter, name, contents) => {
      it.onResolve({ filter }, ({ kind }) =>
        kind === 'require-call' ? undefined : { path: name, namespace: 'light' },
      );
      it.onLoad({ filter: new RegExp(`^${name}$`), namespace: 'light' }, () => ({
        contents,
        resolveDir: ROOT,
      }));
    };
    only(/^(?:node:)?assert$/, 'assert', readFileSync(join(import.meta.dirname, 'small-assert.mjs'), 'utf8'));
  },
};

/** A file that finds others by where it lies finds them from its place in the folders, wherever the bundle has put it. */
const fromItsPlace = (path, source) => {
  const file = path.slice(ROOT.length + 1).replace(/\.ts$/, '.js');
  return source
    .replaceAll('import.meta.url', `bundlePlace(${JSON.stringify(file)})`)
    .replaceAll('import.meta.dirname', `bundleFolder(${JSON.stringify(dirname(file))})`);
};

/** Compiled code of V8 cannot import: it gets a function that does. Relative paths are parts of the bundle. */
const importsFromOutside = (_path, source) =>
  source.replaceAll(/\bawait import\((?!'\.)/g, 'await bundleImport(');

/**
 * These load what a module imports, or most of it: with all of it they share few files, and a host loads 29 in place of 55. Code
 * lies in one file with what the same entries need.
 */
const ENTRY = join(ROOT, 'modules', 'entry.ts');
const WITH_ENTRY = new Set(
  [
    'journal/index.ts',
    'modules/fp.ts',
    'modules/host/host-main.ts',
    'replay/diff/runner-main.ts',
    'replay/index.ts',
    'testing/index.ts',
    'transfer/index.ts',
  ].map((path) => join(ROOT, path)),
);
const withEntry = (path, source) =>
  WITH_ENTRY.has(path) ? `import ${JSON.stringify(ENTRY)}; ${source}` : source;

/** Changes sources as they are read. */
const changed = (...changes) => ({
  name: 'changed',
  setup(it) {
    it.onLoad({ filter: /\.ts$/ }, ({ path }) => {
      const source = readFileSync(path, 'utf8');
      const contents = changes.reduce((text, change) => change(path, text), source);
      return contents === source ? undefined : { contents, loader: 'ts' };
    });
  },
});

/** What each output begins with: a `require` for packages of the older form, and where dist/ is. */
const PRELUDE = [
  "import { createRequire as bundleCreateRequire } from 'node:module';",
  "import { pathToFileURL as bundleUrlOf } from 'node:url';",
  'const require = bundleCreateRequire(import.meta.url);',
  "const bundleRoot = import.meta.dirname.replace(/(.*\\/dist)\\b.*/, '$1/');",
  'const bundleFolder = (folder) => bundleRoot + folder;',
  'const bundlePlace = (file) => bundleUrlOf(bundleRoot + file).href;',
].join(' ');

const settings = {
  metafile: true,
  absWorkingDir: ROOT,
  outbase: ROOT,
  outdir: DIST,
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  mainFields: ['module', 'main'],
  external: ['esbuild'],
  sourcemap: true,
  sourcesContent: false,
  legalComments: 'none',
  logLevel: 'warning',
  banner: { js: PRELUDE },
  plugins: [typebox.plugin, fpts, light, bundledLmdb('import.meta.url'), changed(withEntry, fromItsPlace)],
};

/**
 * What one process loads together is bundled together: a file per set of programs that share it, so fewer programs make fewer
 * files. A thread loads nothing that its process has. The command line starts hosts, and loads a module only to replay it. The
 * schemas have no state, and those who read stores share it by their files.
 */
const isCommandLine = (entry) => entry.startsWith('bin/');
const isAlone = (entry) => /(?:-worker|producer-main|http-main|traces-main|^schemas\/index)\.ts$/.test(entry);
const isStore = (entry) => /^store\/[^/]+\/index\.ts$/.test(entry);
const groups = [
  ENTRIES.filter(isCommandLine),
  ENTRIES.filter((entry) => !isCommandLine(entry) && !isAlone(entry) && !isStore(entry)),
  ENTRIES.filter(isStore),
  ...ENTRIES.filter(isAlone).map((entry) => [entry]),
];
const built = await Promise.all(groups.map((entryPoints) => build({ ...settings, entryPoints })));

/** The command line once more, as one file that V8 can keep compiled: see `compile-command-line.mjs`. */
const ONE_FILE = join(CHUNKS, 'command-line.cjs');
const HEAD = [
  '(function (exports, require, module, __filename, __dirname, bundleImport) {',
  "const bundleUrlOf = require('node:url').pathToFileURL;",
  "const bundleRoot = __dirname.replace(/(.*\\/dist)\\b.*/, '$1/');",
  'const bundleFolder = (folder) => bundleRoot + folder;',
  'const bundlePlace = (file) => bundleUrlOf(bundleRoot + file).href;',
].join(' ');
// The compiled form of another text must not meet this one.
rmSync(`${ONE_FILE}.compiled`, { force: true });
const { outbase: _base, outdir: _dir, chunkNames: _names, splitting: _splitting, ...same } = settings;
built.push(
  await build({
    ...same,
    entryPoints: ['bin/command-line.ts'],
    format: 'cjs',
    outfile: ONE_FILE,
    sourcemap: false,
    plugins: [
      typebox.plugin,
      fpts,
      light,
      bundledLmdb('__filename'),
      changed(fromItsPlace, importsFromOutside),
    ],
    banner: { js: HEAD },
    footer: { js: '})' },
  }),
);
if (
  readFileSync(ONE_FILE, 'utf8')
    .split('\n')
    .some((line) => /^(?!\s*(?:\*|\/\/)).*\bimport\(/.test(line))
)
  throw new Error(`${ONE_FILE} has an import() that compiled code cannot do`);
const outputs = built.flatMap(({ metafile }) => Object.keys(metafile.outputs));
const inputs = built.flatMap(({ metafile }) => Object.keys(metafile.inputs));
typebox.check();

// npm makes it executable where it installs the package. `npx` in this folder does so once, not after each `npm ci`.
for (const program of Object.values(bin)) chmodSync(join(ROOT, program), 0o755);

// The name of a chunk is made of its contents. What a running process may load stays there all the time.
const written = new Set(outputs.map((path) => resolve(ROOT, path)));
for (const name of readdirSync(CHUNKS)) {
  if (!written.has(join(CHUNKS, name))) rmSync(join(CHUNKS, name));
}

/** The folder of the package that a bundled file is from, for example `node_modules/@nats-io/nkeys`. */
const packageOf = (input) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0];
const packages = [...new Set(inputs.map(packageOf).filter(Boolean))].sort();

const licenceOf = (folder) => {
  const name = readdirSync(join(ROOT, folder)).find((file) => /^licen[cs]e/i.test(file));
  const { license, version } = JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8'));
  const text = name === undefined ? '' : `\n\n${readFileSync(join(ROOT, folder, name), 'utf8').trim()}`;
  return `${folder.replace(/^.*node_modules\//, '')} ${version}: ${license}${text}\n`;
};
const notice = 'The files of this folder contain these packages.\n';
writeFileSync(join(CHUNKS, 'LICENSES.txt'), [notice, ...packages.map(licenceOf)].join('\n'));
