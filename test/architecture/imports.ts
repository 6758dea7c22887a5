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

const ABOVE_TEST = ['schemas', 'broker', 'modules', 'replay', 'perf', 'bin'];

export const RULES: readonly Rule[] = [
  // No I/O in the language: nothing of Node, and only packages that have none.
  { folder: 'schemas', mayImport: ['schemas'], packages: ['fp-ts', 'typebox', 're2js'] },
  { folder: 'broker/journal', mayImport: ['schemas', 'broker/journal'] },
  { folder: 'broker', mayImport: ['schemas', 'broker'] },
  {
    folder: 'modules',
    mayImport: ['schemas', 'broker/files', 'broker/journal', 'broker/outbox', 'broker/snapshots', 'modules'],
  },
  // What handles commands again must judge them as the host does, so it is the host's own code.
  {
    folder: 'replay/diff',
    mayImport: ['schemas', 'broker/journal', 'modules/sdk', 'modules/host', 'replay'],
  },
  {
    folder: 'replay',
    mayImport: [
      'schemas',
      'broker/files',
      'broker/journal',
      'broker/index',
      'broker/snapshots',
      'modules/sdk',
      'replay',
    ],
  },
  // Benchmarks run servers, brokers and modules of their own; what is measured must not know of it.
  { folder: 'perf', mayImport: ['schemas', 'broker', 'modules', 'replay', 'perf'] },
  { folder: 'bin', mayImport: ABOVE_TEST },
  { folder: 'test', mayImport: [...ABOVE_TEST, 'test'] },
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
