/**
 * An esbuild plugin that bundles lmdb without what a start does not need: to load it as a package took 22 ms of each thread, and
 * 9 ms of a thread that has the bundle. A process still has lmdb once: its addon keeps a buffer for each thread, which two copies
 * would take from each other. So the first copy is what `require('lmdb')` returns from then on.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const require = createRequire(import.meta.url);
const FILE = require.resolve('lmdb');
const names = Object.keys(require('lmdb')).filter((name) => name !== 'default');

/** How lmdb's bundler wrote the place of the file. */
const PLACE =
  /\(typeof document === 'undefined' \? new \(require\('u' \+ 'rl'\)\.URL\)\('file:' \+ __filename\)\.href : [^\n]*?document\.baseURI\)\.href\)\)/g;

/** The place of lmdb, and the packages in whose place a file of ours is, as lmdb requires them. */
const OURS = {
  'place-of-lmdb': [
    "import { createRequire } from 'node:module';",
    "import { pathToFileURL } from 'node:url';",
    "export const file = createRequire(PLACE).resolve('lmdb');",
    'export const place = pathToFileURL(file).href;',
  ],
  'node-gyp-build-optional-packages': ["export { loadAddon as default } from './lmdb-addon.mjs';"],
  // Only a database with the encoding msgpack has an encoder. We have none.
  msgpackr: [
    "import { createRequire } from 'node:module';",
    "import { file } from 'place-of-lmdb';",
    "const real = () => createRequire(file)('msgpackr').Encoder;",
    'export class Encoder { constructor(...given) { return new (real())(...given); } }',
  ],
};

/** `place` is the text that names the file or the URL from which Node finds the package. */
export const bundledLmdb = (place) => ({
  name: 'lmdb',
  setup(build) {
    build.onResolve({ filter: /^lmdb$/ }, ({ kind }) =>
      kind === 'require-call' ? { path: FILE } : { path: 'lmdb', namespace: 'lmdb' },
    );
    build.onLoad({ filter: /./, namespace: 'lmdb' }, () => ({
      contents: [
        "import { createRequire } from 'node:module';",
        "import { file } from 'place-of-lmdb';",
        `const { cache } = createRequire(${place});`,
        "const bundled = () => ({ id: file, filename: file, loaded: true, children: [], paths: [], exports: require('lmdb') });",
        'cache[file] ??= bundled();',
        `export const { ${names.join(', ')} } = cache[file].exports;`,
      ].join('\n'),
      resolveDir: ROOT,
    }));
    build.onLoad({ filter: /\/lmdb\/dist\/index\.cjs$/ }, ({ path }) => {
      const source = readFileSync(path, 'utf8');
      const places = source.match(PLACE)?.length ?? 0;
      if (places !== 3) throw new Error(`${path} names its place ${places} times, not 3: lmdb has changed`);
      const contents = `const placeOfLmdb = require('place-of-lmdb').place; ${source.replaceAll(PLACE, 'placeOfLmdb')}`;
      return { contents, loader: 'js' };
    });
    build.onResolve({ filter: new RegExp(`^(?:${Object.keys(OURS).join('|')})$`) }, ({ path }) => ({
      path,
      namespace: 'lmdb-ours',
    }));
    build.onLoad({ filter: /./, namespace: 'lmdb-ours' }, ({ path }) => ({
      contents: OURS[path].join('\n').replaceAll('PLACE', place),
      resolveDir: import.meta.dirname,
    }));
  },
});
