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

/** @typedef {'npm' | 'pnpm' | 'yarn'} Manager */

/** @type {readonly Manager[]} */
export const MANAGERS = ['npm', 'pnpm', 'yarn'];

/** Files that a project may have before: what hosts and editors put into a new one. */
const HARMLESS = new Set(['.git', '.DS_Store', '.idea', '.vscode']);
const MOST_LISTED = 3;
/** The names that npm takes, without a scope. */
const NAME = /^[a-z0-9][a-z0-9._-]{0,213}$/;
/** npm leaves out a file of this name when it packs the template. */
const IGNORE_FILE = 'gitignore';

/**
 * @typedef {object} NewProject
 * @property {string} template The directory with the files of a new project.
 * @property {string} directory
 * @property {string} name
 * @property {string} tallystick What package.json has for the version of tallystick.
 */

/**
 * The name of the package in a directory. Throws if npm would not take it.
 *
 * @param {string} directory
 */
export const projectName = (directory) => {
  const name = basename(resolve(directory)).toLowerCase();
  if (NAME.test(name)) return name;
  throw new Error(
    `"${name}" is no name of a package: begin with a letter or a digit, and go on with letters, digits, ".", "_" and "-"`,
  );
};

/** @param {string} directory */
const checkEmpty = (directory) => {
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

/**
 * Writes the files of a new project into an empty directory, which it makes. Throws if it cannot.
 *
 * @param {NewProject} project
 */
export const writeProject = ({ template, directory, name, tallystick }) => {
  checkEmpty(directory);
  mkdirSync(directory, { recursive: true });
  cpSync(template, directory, { recursive: true });
  renameSync(join(directory, IGNORE_FILE), join(directory, `.${IGNORE_FILE}`));
  const file = join(directory, 'package.json');
  /** @type {{ dependencies: Record<string, string> }} */
  const manifest = JSON.parse(readFileSync(file, 'utf8'));
  const dependencies = { ...manifest.dependencies, tallystick };
  writeFileSync(file, `${JSON.stringify({ ...manifest, name, dependencies }, null, 2)}\n`);
  const readme = join(directory, 'README.md');
  writeFileSync(readme, readFileSync(readme, 'utf8').replace('# my-app', `# ${name}`));
};

/**
 * The commands that come next.
 *
 * @param {string} directory
 * @param {Manager} manager
 */
export const nextSteps = (directory, manager) => {
  /** @param {string} name */
  const script = (name) => (manager === 'npm' ? `npm run ${name}` : `${manager} ${name}`);
  /** @type {readonly (readonly [command: string, what: string])[]} */
  const steps = [
    ...(resolve(directory) === process.cwd() ? [] : [/** @type {const} */ ([`cd ${directory}`, ''])]),
    [`${manager} install`, ''],
    [`${manager} test`, 'runs the test of the module'],
    [script('dev'), 'runs the module; save modules/tickets.ts and it has the new code'],
    [`${manager} start`, 'in a second terminal: a program calls the module'],
  ];
  const width = Math.max(...steps.map(([command]) => command.length));
  const lines = steps.map(([command, what]) => `  ${command.padEnd(width)}  ${what}`.trimEnd());
  return `The project is in ${directory}. Next:\n\n${lines.join('\n')}\n`;
};
