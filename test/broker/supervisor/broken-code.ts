import { sourceManifest, workingCode } from '../../support/source-module.js';

/** Code that does not become a module, and what its error must say. */
export interface BrokenCode {
  readonly what: string;
  readonly files: (name: string) => Readonly<Record<string, string>>;
  readonly says: readonly RegExp[];
  readonly startMs?: number;
}

const entry = (text: string) => () => ({ 'index.js': text, 'package.json': '{"type":"module"}' });

export const BROKEN: readonly BrokenCode[] = [
  {
    what: 'a syntax error',
    files: entry('export default {\n  manifest: }\n'),
    says: [/SyntaxError: Unexpected token '}'/, /index\.js:2/],
  },
  {
    what: 'an import of a file that is missing',
    files: entry("import './no-such-file.js';\nexport default {};"),
    says: [/ERR_MODULE_NOT_FOUND/, /no-such-file\.js/, /index\.js/],
  },
  {
    what: 'an import of a package that is missing',
    files: entry("import 'no-such-package';\nexport default {};"),
    says: [/ERR_MODULE_NOT_FOUND/, /no-such-package/],
  },
  {
    what: 'an import of a name that is not exported',
    files: entry("import { nothing } from 'node:fs';\nexport default { nothing };"),
    says: [/SyntaxError/, /nothing/, /index\.js:1/],
  },
  {
    what: 'a throw at the top level, two functions deep, in a file that is imported',
    files: () => ({
      'package.json': '{"type":"module"}',
      'index.js': "import { connect } from './database.js';\nconnect();\nexport default {};",
      'database.js':
        "const open = () => { throw new TypeError('no table \\u001b[31mof accounts'); };\nexport const connect = () => open();\n",
    }),
    says: [
      /TypeError: no table \\u001b\[31mof accounts/,
      /at open .*database\.js:1/,
      /at connect .*database\.js:2/,
      /index\.js:2/,
    ],
  },
  {
    what: 'a throw of what is no error',
    files: entry("throw { code: 'ODD' };"),
    says: [/ODD/],
  },
  {
    what: 'an error with a cause',
    files: entry("throw new Error('outer', { cause: new RangeError('the inner reason') });"),
    says: [/Error: outer/, /RangeError: the inner reason/],
  },
  {
    what: 'a message of a megabyte',
    files: entry("throw new Error('long '.repeat(200_000));"),
    says: [/Error: long long/],
  },
  {
    what: 'a rejection that nobody handles',
    files: entry(
      "void Promise.reject(new Error('nobody waited'));\nawait new Promise((r) => setTimeout(r, 5_000));",
    ),
    says: [/Error: nobody waited/, /index\.js:1/],
  },
  {
    what: 'process.exit at the top level',
    files: entry('process.exit(3);'),
    says: [/exit:3/, /index\.js ended its process with exit code 3 while it was loaded/],
  },
  {
    what: 'an await that never ends',
    files: entry('await new Promise(() => undefined);\nexport default {};'),
    says: [/exit:13/, /index\.js waits at its top level for what never comes/],
  },
  {
    what: 'no default export',
    files: (name) => ({
      'package.json': '{"type":"module"}',
      'index.js': workingCode(name)
        .replace('export default', 'export const shop =')
        .concat('export const two = 2;'),
    }),
    says: [/no default export made with defineModule/, /shop is a module; write `export default shop`/],
  },
  {
    what: 'exports that are none of them a module',
    files: entry('export const first = 1;\nexport const second = () => 2;'),
    says: [/no default export made with defineModule/, /it exports first, second/],
  },
  {
    what: 'a default export that is a function',
    files: entry('export default () => ({});'),
    says: [/its default export is a function: export the module that it makes/],
  },
  {
    what: 'a default export without evolve',
    files: entry('export default { manifest: {}, actions: {} };'),
    says: [/its default export has no evolve; it has manifest, actions/],
  },
  {
    what: 'a CommonJS file that exports nothing',
    files: () => ({ 'package.json': '{"type":"commonjs"}', 'index.js': 'exports.one = 1;' }),
    says: [/no default export made with defineModule/, /it has one/],
  },
  {
    what: 'code of another version than the manifest file',
    files: (name) => ({
      'package.json': '{"type":"module"}',
      'index.js': workingCode(name).replace('"version":"1.0.0"', '"version":"2.0.0"'),
    }),
    says: [/the manifest file is of \S+ 1\.0\.0, schema 1, the code of \S+ 2\.0\.0, schema 1/],
  },
  {
    what: 'an upcast for an event that there is not',
    files: (name) => ({
      'package.json': '{"type":"module"}',
      'index.js': workingCode(name).replace('evolve:', 'upcast: { 1: { gone: () => 1 } },\n  evolve:'),
    }),
    says: [/UPCAST_INVALID/],
  },
  {
    what: 'a loop without an end',
    files: entry('for (;;);'),
    startMs: 1_500,
    says: [/not ready within 1500 ms: its code was still being loaded/],
  },
];

/** Only code that never ends loading is given little time: the others start side by side on a machine that is busy. */
export const brokenManifest = (name: string, startMs = 30_000) =>
  sourceManifest(name, { limits: { crashes: 1, startMs } });
