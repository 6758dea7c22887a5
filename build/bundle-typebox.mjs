/**
 * Puts typebox into two files, and re2js into one, and points what imports it there, in dist/ only: types and sources name the package.
 *
 * Every process of ours, the command line first, loads it for its schemas: 404 of the 420 files of `tallystick env`.
 * Loading the package took 190 ms, the bundle takes 20 (the fastest of seven runs, less node's own start).
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const ROOT = join(import.meta.dirname, '..');
const DIST = join(ROOT, 'dist');
const VENDOR = join(DIST, 'vendor');
/** What of dist/ is the product. Tests and their modules load the package, as modules of users do. */
const PRODUCT = [
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
  'text',
  'transfer',
];
const FILES = new Map([
  ['typebox', 'typebox'],
  ['typebox/schema', 'typebox-schema'],
  ['re2js', 're2js'],
]);

/**
 * What of typebox is another thing in the bundle, each a text that must be there. Its checks run on payloads that strangers
 * send: patterns are matched by a linear engine, recursion is counted, and nothing is quadratic.
 */
const CHANGES = new Map([
  [
    'schema/engine/_regexp.mjs',
    [
      ["return new RegExp(pattern, 'u');", 'return linearPattern(pattern);'],
      ['export', "import { linearPattern } from 'ours:linear-pattern';\nexport"],
    ],
  ],
  [
    'schema/engine/_functions.mjs',
    [
      [
        "const expression = BuildSchema(stack, context, schema, 'value');",
        "const expression = E.And(E.Call(Externals.CreateVariable(spendCall), [context.UseUnevaluated() ? '10' : '1']), BuildSchema(stack, context, schema, 'value'));",
      ],
      [
        'import { BuildSchema }',
        "import { spendCall } from 'ours:work-budget';\nimport * as Externals from './_externals.mjs';\nimport { BuildSchema }",
      ],
    ],
  ],
  [
    'schema/engine/schema.mjs',
    [
      [
        'export function ErrorSchema(stack, context, schemaPath, instancePath, schema, value) {',
        'export function ErrorSchema(stack, context, schemaPath, instancePath, schema, value) {\n    spendCall();',
      ],
      [
        'export function CheckSchema(stack, context, schema, value) {',
        'export function CheckSchema(stack, context, schema, value) {\n    spendCall();',
      ],
      ['import * as Schema', "import { spendCall } from 'ours:work-budget';\nimport * as Schema"],
    ],
  ],
  [
    'schema/engine/additionalProperties.mjs',
    [
      ['UnicodeRegExp(GetPropertiesPattern(schema))', 'knownProperties(schema)'],
      [
        "import { UnicodeRegExp } from './_regexp.mjs'",
        "import { knownProperties } from 'ours:known-properties'",
      ],
    ],
  ],
  [
    'guard/guard.mjs',
    // The first thing that is wrong is all that anybody is told, and a sender chooses how many there are.
    [
      [
        'export function EveryAll(value, offset, callback) {',
        'export function EveryAll(value, offset, callback) {\n    return Every(value, offset, callback);\n}\nfunction EveryToTheEnd(value, offset, callback) {',
      ],
    ],
  ],
  ['schema/engine/uniqueItems.mjs', [['return [...result, index];', 'return result.push(index), result;']]],
]);
const changed = new Set();

const changes = {
  name: 'changes',
  setup(build) {
    build.onResolve({ filter: /^ours:/ }, ({ path }) => ({
      path: `../schemas/${path.slice('ours:'.length)}.js`,
      external: true,
    }));
    build.onLoad({ filter: /typebox\/build\/(?:schema\/engine|guard)\/\w+\.mjs$/ }, ({ path }) => {
      const name = path.slice(path.indexOf('/build/') + '/build/'.length);
      const edits = CHANGES.get(name);
      if (edits === undefined) return undefined;
      let contents = readFileSync(path, 'utf8');
      for (const [before, after] of edits) {
        if (!contents.includes(before)) throw new Error(`${path} has no ${before}: typebox has changed`);
        contents = contents.replaceAll(before, () => after);
      }
      changed.add(name);
      return { contents };
    });
  },
};

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
  plugins: [changes],
});
// The names of shared pieces are made of their contents. What a running process may load stays there all the time.
const written = new Set(Object.keys(metafile.outputs).map((path) => resolve(ROOT, path)));
for (const name of readdirSync(VENDOR)) {
  if (!written.has(join(VENDOR, name))) rmSync(join(VENDOR, name));
}
if (changed.size !== CHANGES.size) throw new Error(`only ${[...changed].join(', ')} of typebox are changed`);

for (const folder of PRODUCT) {
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
