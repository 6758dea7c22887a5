/** Makes the program of the package `create-tallystick`: one file, from the sources in create/. */
import { join } from 'node:path';
import { build } from 'esbuild';

const CREATE = join(import.meta.dirname, '..', 'create');

await build({
  absWorkingDir: CREATE,
  entryPoints: ['create-tallystick.ts'],
  outdir: '.',
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  legalComments: 'none',
  logLevel: 'warning',
});
