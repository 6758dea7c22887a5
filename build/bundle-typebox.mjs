/**
 * Puts typebox into two files and re2js into one, and points their importers there. This is for the files of dist/ that
 * tests load one by one; `bundle-programs.mjs` bundles the programs. Types and sources name the package.
 *
 * Loading typebox as a package takes 190 ms: it has 404 files. The bundle takes 20 ms (the fastest of seven runs).
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
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
  'text',
  'transfer',
];
const FILES = new Map([
  ['typebox', 'typebox'],
  ['typebox/schema', 'typebox-schema'],
  ['re2js', 're2js'],
]);

const { plugin, check } = typeboxChanges((name) => ({ path: `../schemas/${name}.js`, external: true }));

const licenceOf = (specifier, ...path) =>
  `${specifier}:\n${readFileSync(join(dirname(fileURLToPath(import.meta.resolve(specifier))), ...path), 'utf8').trim()}`;
const LICENCES = [licenceOf('typebox', '..', 'license'), licenceOf('re2js', '..', 'LICENSE')].join('\n\n');

const { metafile } = await build({
  metafile: true,
  entryPoints: [...FILES].map(([specifier, out]) => ({ in: specifier, out })),
  outdir: VENDOR,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  absWorkingDir: ROOT,
  legalComments: 'none',
  banner: { js: `/* ${LICENCES}\n*/` },
  logLevel: 'warning',
  plugins: [plugin],
});
// The names of shared pieces are made of their contents. What a running process may load stays there all the time.
const written = new Set(Object.keys(metafile.outputs).map((path) => resolve(ROOT, path)));
for (const name of readdirSync(VENDOR)) {
  if (!written.has(join(VENDOR, name))) rmSync(join(VENDOR, name));
}
check();

for (const folder of FOLDERS) {
  for (const entry of readdirSync(join(DIST, folder), { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith('.js')) continue;
    const file = resolve(entry.parentPath, entry.name);
    const before = readFileSync(file, 'utf8');
    const after = before.replaceAll(/ from '(typebox(?:\/[a-z]+)?|re2js)';/g, (_, specifier) => {
      const out = FILES.get(specifier);
      if (out === undefined) throw new Error(`${file} imports ${specifier}, which is not bundled`);
      const path = relative(dirname(file), join(VENDOR, `${out}.js`)).replaceAll(sep, '/');
      return ` from '${path.startsWith('.') ? path : `./${path}`}';`;
    });
    if (after !== before) writeFileSync(file, after);
  }
}
