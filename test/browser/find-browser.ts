import { execFileSync, spawnSync } from 'node:child_process';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

const inPath = (name: string): string | undefined => {
  const { status, stdout } = spawnSync('sh', ['-c', `command -v ${name}`], {
    encoding: 'utf8',
  });
  return status === 0 ? stdout.trim() : undefined;
};

const found = (): string | undefined => {
  const { CHROMIUM } = process.env;
  if (CHROMIUM !== undefined && CHROMIUM !== '') return CHROMIUM;
  for (const name of NAMES) {
    const path = inPath(name);
    if (path !== undefined) return path;
  }
  return undefined;
};

/** A Chromium of this machine. On Debian, it is installed if it is missing. */
export const findBrowser = (): string => {
  const here = found();
  if (here !== undefined) return here;
  if (process.getuid?.() !== 0 || inPath('apt-get') === undefined)
    throw new Error(
      'there is no Chromium: install it (Debian: `apt-get install chromium`), or name it in CHROMIUM',
    );
  const options = {
    stdio: 'inherit',
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  } as const;
  execFileSync('apt-get', ['update', '-qq'], options);
  execFileSync(
    'apt-get',
    ['install', '-y', '-qq', '--no-install-recommends', 'chromium', 'fonts-dejavu-core'],
    options,
  );
  const installed = found();
  if (installed === undefined) throw new Error('apt-get installed no Chromium');
  return installed;
};
