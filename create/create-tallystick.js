#!/usr/bin/env node
// The package has this file as it is, with its types in comments. A build step could be left out: a package of
// `npm pack --ignore-scripts` would have no program.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { parseArgs } from 'node:util';
import { MANAGERS, nextSteps, projectName, writeProject } from './new-project.js';

/** `npm create tallystick@latest my-app`: writes a new project. */

const HELP = `Usage: npm create tallystick@latest [directory] [-- options]

Writes a TypeScript project with one module, its test, and a program that calls it.

Options:
  --yes             ask nothing: the directory is "my-app" if you name none
  --manager <name>  the package manager that you use: ${MANAGERS.join(', ')}
  --tallystick <v>  the version of tallystick: a range, a tag, or file:PATH (default: the version of this program)
  --help            print this text

Examples:
  $ npm create tallystick@latest my-app
  $ npm create tallystick@latest my-app -- --yes
  $ pnpm create tallystick my-app --manager pnpm
`;

const DEFAULT_DIRECTORY = 'my-app';

/** @param {string} text */
const write = (text) => void process.stdout.write(text);

/**
 * @param {string | undefined} name
 * @returns {name is import('./new-project.js').Manager}
 */
const isManager = (name) => MANAGERS.some((each) => each === name);

/** Package managers name themselves to the programs that they start: `pnpm/10.1.0 npm/? node/v22.1.0`. */
const startedBy = () => {
  const name = process.env.npm_config_user_agent?.split('/')[0];
  return isManager(name) ? name : undefined;
};

/**
 * An answer of the person at the terminal, or the default if it is empty. Throws if the person ends the program.
 *
 * @param {string} question
 * @param {string} otherwise
 */
const asked = async (question, otherwise) => {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  // Some versions of Node wait for ever after Ctrl-C or Ctrl-D, and others throw.
  const ended = new Promise((_, reject) => terminal.once('close', reject));
  try {
    const answer = String(
      await Promise.race([terminal.question(`${question} (${otherwise}): `), ended]),
    ).trim();
    return answer === '' ? otherwise : answer;
  } catch {
    throw new Error('you gave no answer, so nothing was written');
  } finally {
    ended.catch(() => undefined);
    terminal.close();
  }
};

/** @type {{ readonly version: string }} */
const own = JSON.parse(readFileSync(join(import.meta.dirname, 'package.json'), 'utf8'));

const run = async () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      yes: { type: 'boolean', short: 'y', default: false },
      help: { type: 'boolean', short: 'h', default: false },
      manager: { type: 'string' },
      tallystick: { type: 'string', default: `^${own.version}` },
    },
  });
  if (values.help) return write(HELP);
  if (positionals.length > 1) throw new Error(`name one directory, not ${positionals.length}`);
  if (values.manager !== undefined && !isManager(values.manager))
    throw new Error(`${values.manager} is not one of ${MANAGERS.join(', ')}`);
  const asks = !values.yes && process.stdin.isTTY === true;
  const directory =
    positionals[0] ?? (asks ? await asked('Directory of the project', DEFAULT_DIRECTORY) : DEFAULT_DIRECTORY);
  const name = projectName(directory);
  const known = values.manager ?? startedBy();
  const chosen = known ?? (asks ? await asked(`Package manager: ${MANAGERS.join(', ')}`, 'npm') : 'npm');
  if (!isManager(chosen)) throw new Error(`${chosen} is not one of ${MANAGERS.join(', ')}`);
  writeProject({
    template: join(import.meta.dirname, 'template'),
    directory,
    name,
    tallystick: values.tallystick,
  });
  write(nextSteps(directory, chosen));
};

try {
  await run();
} catch (error) {
  process.stderr.write(`create-tallystick: ${/** @type {Error} */ (error).message}\n`);
  process.exitCode = 1;
}
