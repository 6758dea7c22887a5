import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, join, resolve } from 'node:path';

export const MANAGERS = ['npm', 'pnpm', 'yarn'] as const;
export type Manager = (typeof MANAGERS)[number];

/** Files that a project may have before: what hosts and editors put into a new one. */
const HARMLESS: ReadonlySet<string> = new Set(['.git', '.DS_Store', '.idea', '.vscode']);
const MOST_LISTED = 3;
/** The names that npm takes, without a scope. */
const NAME = /^[a-z0-9][a-z0-9._-]{0,213}$/;
/** npm leaves out a file of this name when it packs the template. */
const IGNORE_FILE = 'gitignore';

export interface NewProject {
  /** The directory with the files of a new project. */
  readonly template: string;
  readonly directory: string;
  readonly name: string;
  /** What package.json has for the version of tallystick. */
  readonly tallystick: string;
}

/** The name of the package in a directory. Throws if npm would not take it. */
export const projectName = (directory: string): string => {
  const name = basename(resolve(directory)).toLowerCase();
  if (NAME.test(name)) return name;
  throw new Error(
    `"${name}" is no name of a package: begin with a letter or a digit, and go on with letters, digits, ".", "_" and "-"`,
  );
};

const checkEmpty = (directory: string): void => {
  if (!existsSync(directory)) return;
  if (!statSync(directory).isDirectory()) throw new Error(`${directory} is a file: choose another name`);
  const found = readdirSync(directory)
    .filter((name) => !HARMLESS.has(name))
    .toSorted();
  if (found.length === 0) return;
  const more = found.length > MOST_LISTED ? ` and ${found.length - MOST_LISTED} more` : '';
  throw new Error(
    `${directory} is not empty, so nothing was written: it has ${found.slice(0, MOST_LISTED).join(', ')}${more}. Choose another directory`,
  );
};

/** Writes the files of a new project into an empty directory, which it makes. Throws if it cannot. */
export const writeProject = ({ template, directory, name, tallystick }: NewProject): void => {
  checkEmpty(directory);
  mkdirSync(directory, { recursive: true });
  cpSync(template, directory, { recursive: true });
  renameSync(join(directory, IGNORE_FILE), join(directory, `.${IGNORE_FILE}`));
  const file = join(directory, 'package.json');
  const manifest = JSON.parse(readFileSync(file, 'utf8')) as { dependencies: Record<string, string> };
  const dependencies = { ...manifest.dependencies, tallystick };
  writeFileSync(file, `${JSON.stringify({ ...manifest, name, dependencies }, null, 2)}\n`);
  const readme = join(directory, 'README.md');
  writeFileSync(readme, readFileSync(readme, 'utf8').replace('# my-app', `# ${name}`));
};

/** The commands that come next. */
export const nextSteps = (directory: string, manager: Manager): string => {
  const script = (name: string): string => (manager === 'npm' ? `npm run ${name}` : `${manager} ${name}`);
  const steps = [
    ...(resolve(directory) === process.cwd() ? [] : [[`cd ${directory}`, ''] as const]),
    [`${manager} install`, ''] as const,
    [`${manager} test`, 'runs the test of the module'] as const,
    [script('dev'), 'runs the module; save modules/tickets.ts and it has the new code'] as const,
    [`${manager} start`, 'in a second terminal: a program calls the module'] as const,
  ];
  const width = Math.max(...steps.map(([command]) => command.length));
  const lines = steps.map(([command, what]) => `  ${command.padEnd(width)}  ${what}`.trimEnd());
  return `The project is in ${directory}. Next:\n\n${lines.join('\n')}\n`;
};
