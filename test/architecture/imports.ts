import { builtinModules } from 'node:module';
import { posix } from 'node:path';

/**
 * The direction of imports. Biome's `noRestrictedImports` compares the specifier as it is written, and whether
 * `'../x.js'` stays inside `broker/journal` depends on the file that says it; so this rule resolves specifiers first.
 */

interface Rule {
  /** The rule is for files in here; the first rule that fits is the one that counts. */
  readonly folder: string;
  /** Folders of ours that those may import from. */
  readonly mayImport: readonly string[];
  /** All that they may import from outside; without it, anything. */
  readonly packages?: readonly string[];
}

/** Libraries that know nothing of the broker: each may use those before it. */
const LIBRARIES = ['text', 'schemas', 'system', 'link', 'journal', 'store'];
const PRODUCT = [
  ...LIBRARIES,
  'modules',
  'broker',
  'replay',
  'transfer',
  'testing',
  'http',
  'traces',
  'perf',
  'bin',
];

/** The entries of the package that a program or a module of a user needs. */
const PUBLIC = ['modules/entry.js', 'modules/fp.js', 'modules/package-modules.js', 'testing/index.js'];

const library = (folder: string): Rule => ({
  folder,
  mayImport: LIBRARIES.slice(0, LIBRARIES.indexOf(folder) + 1),
});

export const RULES: readonly Rule[] = [
  // Text for people is made of text and numbers alone.
  { folder: 'text', mayImport: ['text'], packages: [] },
  // No I/O in the language: nothing of Node, and only packages that have none.
  { folder: 'schemas', mayImport: ['text', 'schemas'], packages: ['fp-ts', 'typebox', 're2js'] },
  ...LIBRARIES.slice(2).map(library),
  // A module and the broker meet in the log alone: neither knows the other.
  { folder: 'modules', mayImport: [...LIBRARIES, 'modules'] },
  { folder: 'broker', mayImport: [...LIBRARIES, 'broker'] },
  // A replay handles commands as the host does, with the host's own code.
  { folder: 'replay', mayImport: [...LIBRARIES, 'modules', 'replay'] },
  // An import fills the log of a broker that is not running.
  { folder: 'transfer', mayImport: [...LIBRARIES, 'broker', 'replay', 'transfer'] },
  // Tests of modules run them as the host and the broker would, with the code of both.
  { folder: 'testing', mayImport: [...LIBRARIES, 'modules', 'broker', 'testing'] },
  // A client of the broker: it meets the broker over NATS alone.
  { folder: 'http', mayImport: [...LIBRARIES, 'modules', 'replay', 'http'] },
  // The same: it reads the log, and sends spans to a collector.
  { folder: 'traces', mayImport: [...LIBRARIES, 'traces'] },
  // Pages for a browser: they know the language, and ask the HTTP API for all else.
  { folder: 'dashboard', mayImport: ['text', 'schemas', 'dashboard'], packages: ['preact'] },
  { folder: 'perf', mayImport: PRODUCT.filter((folder) => folder !== 'bin') },
  { folder: 'bin', mayImport: PRODUCT },
  // A user's code: itself, and the public entries.
  { folder: 'create/template', mayImport: ['create/template', ...PUBLIC] },
  { folder: 'examples', mayImport: ['examples', ...PUBLIC] },
  // A package apart, without dependencies.
  { folder: 'create', mayImport: ['create'] },
  { folder: 'test', mayImport: [...PRODUCT, 'create', 'test'] },
];

export interface SourceFile {
  /** From the root, with `/`. */
  readonly path: string;
  readonly text: string;
}

export interface Violation {
  readonly path: string;
  readonly line: number;
  readonly message: string;
}

const GAP = String.raw`(?:\s|/\*[\s\S]*?\*/|//[^\n]*\n)*`;

/**
 * `from '…'`, `import '…'`, `import('…')` and `require('…')`. What only looks like one, in a comment say, is taken
 * for one too: this errs on the side of a complaint.
 */
const IMPORT = new RegExp(`\\b(?:from|(?:import|require)${GAP}\\(?)${GAP}(['"\`])([^'"\`\\n]+)\\1`, 'g');

const isIn = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}/`);

export interface PackageJson {
  readonly name: string;
  readonly exports: Readonly<Record<string, string | { readonly default: string }>>;
}

/** The path from the root that a specifier means where it is one of ours, by path or by the package's own name. */
const ownPath = (from: string, specifier: string, own: PackageJson): string | undefined => {
  if (specifier.startsWith('.')) return posix.join(posix.dirname(from), specifier);
  if (!isIn(specifier, own.name)) return undefined;
  const target = own.exports[`.${specifier.slice(own.name.length)}`];
  const file = typeof target === 'string' ? target : target?.default;
  return posix.normalize(file ?? specifier).replace(/^dist\//, '');
};

const isBuiltin = (specifier: string): boolean =>
  specifier.startsWith('node:') || builtinModules.includes(specifier.split('/')[0] ?? '');

const complaint = (rule: Rule, path: string, specifier: string, own: PackageJson): string | undefined => {
  const target = ownPath(path, specifier, own);
  if (target !== undefined) {
    return rule.mayImport.some((folder) => isIn(target, folder))
      ? undefined
      : `imports ${target}; ${rule.folder} may import ${rule.mayImport.join(', ')}`;
  }
  const { packages } = rule;
  if (packages === undefined) return undefined;
  return !isBuiltin(specifier) && packages.some((name) => isIn(specifier, name))
    ? undefined
    : `imports ${specifier}; ${rule.folder} may import the packages ${packages.join(', ')}`;
};

/** What a file imports of ours: paths of sources from the root. */
export const importsOf = ({ path, text }: SourceFile, own: PackageJson): readonly string[] =>
  [...text.matchAll(IMPORT)].flatMap((match) => {
    const target = ownPath(path, match[2] ?? '', own);
    return target === undefined ? [] : [target.replace(/\.js$/, '.ts')];
  });

/** Every import that goes where it must not. */
export const importViolations = (files: readonly SourceFile[], own: PackageJson): Violation[] =>
  files.flatMap(({ path, text }) => {
    const rule = RULES.find(({ folder }) => isIn(path, folder));
    if (rule === undefined) return [{ path, line: 1, message: 'is in a folder that no rule is for' }];
    return [...text.matchAll(IMPORT)].flatMap((match) => {
      const message = complaint(rule, path, match[2] ?? '', own);
      const line = text.slice(0, match.index + match[0].length).split('\n').length;
      return message === undefined ? [] : [{ path, line, message }];
    });
  });
