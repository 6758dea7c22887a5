/** The versions of Node that we support. npm has Node as packages; they are kept in node_modules/.cache. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const VERSIONS = ['20', '22', '24'];

/** The package that npm's package `node` would install by a script, which npm may not run. */
const PREFIX = process.platform === 'darwin' && process.arch === 'arm64' ? 'node-bin' : 'node';
const PACKAGE = `${PREFIX}-${process.platform}-${process.arch}`;

const installed = new Map();

const install = (version) => {
  const dir = join(import.meta.dirname, '..', 'node_modules', '.cache', 'node-versions', version);
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, 'package.json'), '{"private":true}\n');
  const args = [
    'install',
    '--no-save',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
    `${PACKAGE}@${version}`,
  ];
  const { status, error } = spawnSync('npm', args, { stdio: 'inherit', cwd: dir });
  if (error !== undefined || status !== 0)
    throw error ?? new Error(`npm could not install ${PACKAGE}@${version}`);
  return join(dir, 'node_modules', PACKAGE, 'bin', 'node');
};

/** Installs the newest release of a version, once in a process; the path of its program. */
export const installNode = (version) => {
  const path = installed.get(version) ?? install(version);
  installed.set(version, path);
  return path;
};
