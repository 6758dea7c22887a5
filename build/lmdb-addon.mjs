/**
 * Loads the compiled part of lmdb. `bundled-lmdb.mjs` puts this in the place of `node-gyp-build-optional-packages`, which loads
 * eleven modules to find one file: a third of what lmdb costs a thread. On another system than Linux with glibc, and where a
 * person has compiled lmdb or chose a build, that package looks for the file.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Variables that the package reads. */
const CHOICES = [
  'ARM_VERSION',
  'ELECTRON_RUN_AS_NODE',
  'LIBC',
  'LMDB_PREBUILD',
  'npm_config_arch',
  'npm_config_platform',
];
/** Its dynamic linker: a machine with it may have Node for musl. */
const MUSL = { x64: '/lib/ld-musl-x86_64.so.1', arm64: '/lib/ld-musl-aarch64.so.1' };

const isUsual = (folder) =>
  process.platform === 'linux' &&
  MUSL[process.arch] !== undefined &&
  !existsSync(MUSL[process.arch]) &&
  !CHOICES.some((name) => process.env[name] !== undefined) &&
  process.versions.electron === undefined &&
  !['build', 'prebuilds'].some((name) => existsSync(join(folder, name)));

/** The file for this Node, or the one for each Node; undefined where the package must look. `folder` is that of lmdb. */
export const usualAddon = (folder) => {
  if (!isUsual(folder)) return undefined;
  try {
    const { resolve } = createRequire(join(folder, 'package.json'));
    const files = dirname(resolve(`@lmdb/lmdb-linux-${process.arch}`));
    return [`abi${process.versions.modules}`, 'napi']
      .map((kind) => join(files, `node.${kind}.glibc.node`))
      .find((file) => existsSync(file));
  } catch {
    // The package finds another one, or says why not.
    return undefined;
  }
};

export const loadAddon = (folder) => {
  const load = createRequire(join(folder, 'package.json'));
  const file = usualAddon(folder);
  return file === undefined ? load('node-gyp-build-optional-packages')(folder) : load(file);
};
