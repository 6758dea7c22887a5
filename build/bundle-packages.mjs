/**
 * Puts the packages that most files load into few files, and points their importers there. This is for the files of dist/ that
 * tests load one by one; `bundle-programs.mjs` bundles the programs. Types and sources name the packages.
 *
 * Loading typebox as a package takes 190 ms: it has 404 files. The bundle takes 20 ms (the fastest of seven runs). A test file that
 * has a connection loads about 170 more files of packages without this.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { init, parse } from 'es-module-lexer';
import { build } from 'esbuild';
import { bundledLmdb } from './bundled-lmdb.mjs';
import { typeboxChanges } from './typebox-changes.mjs';

const ROOT = join(import.meta.dirname, '..');
const DIST = join(ROOT, 'dist');
const VENDOR = join(DIST, 'vendor');
/** Tests and their modules too. The modules of the documents load the package, as modules of users do. */
const FOLDERS = [
  'bin',
  'broker',
  'journal',
  'link',
  'modules',
  'perf',
  'replay',
  'schemas',
  'store',
  'system',
  'test',
  'testing',
  'text',
  'transfer',
];
const FILES = new Map([
  ['typebox', 'typebox'],
  ['typebox/schema', 'typebox-schema'],
  ['re2js', 're2js'],
  ['nats', 'nats'],
  ['@nats-io/jetstream', 'jetstream'],
  ['fp-ts/lib/Either.js', 'fp-ts-either'],
  ['fp-ts/lib/TaskEither.js', 'fp-ts-task-either'],
  ['fp-ts/lib/Task.js', 'fp-ts-task'],
  ['fp-ts/lib/function.js', 'fp-ts-function'],
  ['fast-check', 'fast-check'],
  ['lmdb', 'lmdb'],
]);

/** Packages in the form of CommonJS have only a default export in a bundle. These entries give them the names that Node finds. */
const COMMONJS = new Set([...FILES.keys()].filter((specifier) => /^@?nats/.test(specifier)));
/** fp-ts as modules, of which a bundle has one copy of each. */
const fpts = {
  name: 'fp-ts',
  setup(it) {
    it.onResolve({ filter: /^fp-ts\/lib\// }, ({ path }) => ({
      path: join(ROOT, 'node_modules', path.replace('/lib/', '/es6/')),
    }));
  },
};
const named = {
  name: 'named exports',
  setup(it) {
    it.onResolve({ filter: /^named:/ }, ({ path }) => ({
      path: path.slice('named:'.length),
      namespace: 'named',
    }));
    it.onLoad({ filter: /.*/, namespace: 'named' }, async ({ path }) => {
      const names = Object.keys(await import(path)).filter((name) =>
        /^(?!default$|module\.exports$)[A-Za-z_$][\w$]*$/.test(name),
      );
      const contents = [
        `import * as it from ${JSON.stringify(path)};`,
        `const { ${names.map((name) => `${name}: _${name}`).join(', ')} } = it;`,
        `export { ${names.map((name) => `_${name} as ${name}`).join(', ')} };`,
      ].join('\n');
      return { contents, resolveDir: ROOT, loader: 'js' };
    });
  },
};

const { plugin, check } = typeboxChanges((name) => ({ path: `../schemas/${name}.js`, external: true }));

const licenceOf = (specifier, ...path) =>
  `${specifier}:\n${readFileSync(join(dirname(fileURLToPath(import.meta.resolve(specifier))), ...path), 'utf8').trim()}`;
const LICENCES = [licenceOf('typebox', '..', 'license'), licenceOf('re2js', '..', 'LICENSE')].join('\n\n');

const { metafile } = await build({
  metafile: true,
  entryPoints: [...FILES].map(([specifier, out]) => ({
    in: COMMONJS.has(specifier) ? `named:${specifier}` : specifier,
    out,
  })),
  outdir: VENDOR,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  absWorkingDir: ROOT,
  legalComments: 'none',
  banner: {
    js: [
      `/* ${LICENCES}\n*/`,
      "import { createRequire as vendorCreateRequire } from 'node:module';",
      'const require = vendorCreateRequire(import.meta.url);',
    ].join('\n'),
  },
  logLevel: 'warning',
  plugins: [plugin, named, fpts, bundledLmdb('import.meta.url')],
});
// The names of shared pieces are made of their contents. What a running process may load stays there all the time.
const written = new Set(Object.keys(metafile.outputs).map((path) => resolve(ROOT, path)));
for (const name of readdirSync(VENDOR)) {
  if (!written.has(join(VENDOR, name))) rmSync(join(VENDOR, name));
}
check();

await init;
for (const folder of FOLDERS) {
  for (const entry of readdirSync(join(DIST, folder), { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith('.js')) continue;
    const file = resolve(entry.parentPath, entry.name);
    const before = readFileSync(file, 'utf8');
    let after = before;
    // From the last to the first, so that the places stay. A test may have an import in a text, which is not an import of its own.
    for (const { type, specifier, start, end } of parse(before)[0].toReversed()) {
      if (type !== 'static') continue;
      const out = FILES.get(specifier);
      // There must be one typebox, with our changes.
      if (out === undefined && specifier.startsWith('typebox')) {
        throw new Error(`${file} imports ${specifier}, which is not bundled`);
      }
      if (out === undefined) continue;
      const path = relative(dirname(file), join(VENDOR, `${out}.js`)).replaceAll(sep, '/');
      after = `${after.slice(0, start)}${path.startsWith('.') ? path : `./${path}`}${after.slice(end)}`;
    }
    if (after !== before) writeFileSync(file, after);
  }
}
