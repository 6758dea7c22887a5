/**
 * npm runs this after an install, and so does the first `npx` in this folder. Then a broker may run, whose hosts load the
 * files of dist/ at any time: the build would write them again under it.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const byNpx = process.env.npm_command === 'exec';

if (!byNpx || !existsSync(join(ROOT, 'dist', 'bin', 'tallystick.js'))) {
  const { status } = spawnSync('npm', ['run', 'build', '--silent'], { cwd: ROOT, stdio: 'inherit' });
  process.exitCode = status ?? 1;
}
