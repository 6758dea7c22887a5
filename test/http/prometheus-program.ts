import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { cacheDir } from '../../broker/server/cache.js';

/** The programs of Prometheus. */
export interface PrometheusPrograms {
  readonly prometheus: string;
  readonly promtool: string;
}

const inDir = (dir: string): PrometheusPrograms | undefined => {
  const [prometheus, promtool] = [join(dir, 'prometheus'), join(dir, 'promtool')];
  return existsSync(prometheus) && existsSync(promtool) ? { prometheus, promtool } : undefined;
};

/** Debian's package, unpacked into the cache of this package. Nothing is installed, so it needs no rights. */
const download = (): PrometheusPrograms => {
  const dir = join(cacheDir(), `prometheus-${process.arch}`);
  const known = inDir(join(dir, 'usr', 'bin'));
  if (known !== undefined) return known;
  mkdirSync(cacheDir(), { recursive: true });
  const work = mkdtempSync(join(cacheDir(), 'work-'));
  try {
    execFileSync('apt-get', ['download', '-q', 'prometheus'], { cwd: work, stdio: 'pipe', timeout: 240_000 });
    const file = readdirSync(work).find((name) => name.endsWith('.deb')) ?? '';
    execFileSync('dpkg', ['-x', file, 'whole'], { cwd: work, stdio: 'pipe', timeout: 60_000 });
    rmSync(dir, { recursive: true, force: true });
    renameSync(join(work, 'whole'), dir);
  } catch (error) {
    const why = (error as Error).message;
    throw new Error(
      `there is no Prometheus in PATH, and Debian's cannot be downloaded (\`apt-get update\` first): ${why}`,
    );
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  const found = inDir(join(dir, 'usr', 'bin'));
  if (found === undefined) throw new Error(`the package of Debian has no prometheus and promtool: ${dir}`);
  return found;
};

/** Those in PATH, else Debian's. */
export const findPrometheus = (): PrometheusPrograms => {
  for (const dir of (process.env.PATH ?? '').split(delimiter)) {
    const found = inDir(dir);
    if (found !== undefined) return found;
  }
  return download();
};
