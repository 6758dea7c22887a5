/**
 * What of typebox is another thing in our bundles, each a text that must be in its sources. Its checks run on payloads
 * that strangers send: patterns are matched by a linear engine, recursion is counted, and nothing is quadratic.
 */
import { readFileSync } from 'node:fs';

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
    'guard/emit.mjs',
    // A row of a thousand operands, and not a thousand brackets in each other: V8 reads those with its stack.
    [
      ['operands.reduce((left, right) => And(left, right))', "['(', operands.join(' && '), ')'].join('')"],
      ['operands.reduce((left, right) => Or(left, right))', "['(', operands.join(' || '), ')'].join('')"],
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

/**
 * An esbuild plugin that makes the changes. `resolveOurs` says where a file of ours is: `linear-pattern`, for example.
 * `check` throws if typebox has a file less than expected.
 */
export const typeboxChanges = (resolveOurs) => {
  const changed = new Set();
  const plugin = {
    name: 'typebox-changes',
    setup(build) {
      build.onResolve({ filter: /^ours:/ }, ({ path }) => resolveOurs(path.slice('ours:'.length)));
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
  const check = () => {
    if (changed.size !== CHANGES.size)
      throw new Error(`only ${[...changed].join(', ')} of typebox are changed`);
  };
  return { plugin, check };
};
