import { execFile } from 'node:child_process';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const APT = 'apt';
const LIMIT_MS = 5 * 60_000;

const LIBRARY = /^\s*\|?(?:Pre)?Depends: (lib(?!c6\b)[\w.+-]+)$/gm;

/** Of what `apt-cache depends` prints: the libraries, without the C library. */
export const librariesIn = (depends: string): readonly string[] => [
  ...new Set([...depends.matchAll(LIBRARY)].map((match) => match[1] as string)),
];

/** Of what `ldd` prints: the libraries that were not found. */
export const missingIn = (ldd: string): readonly string[] =>
  [...ldd.matchAll(/^\s*(\S+) => not found$/gm)].map((match) => match[1] as string);

/** Folders below `root` that hold shared libraries, as `LD_LIBRARY_PATH` takes them. */
export const libraryPath = async (root: string): Promise<string> => {
  const files = await readdir(root, { recursive: true });
  const folders = files.filter((file) => /\.so(\.|$)/.test(file)).map((file) => join(root, dirname(file)));
  return [...new Set(folders)].join(':');
};

/**
 * Arguments with which apt uses package lists below `root`: those of the machine may be empty, and are root's to
 * fill.
 */
const ownLists = async (root: string): Promise<readonly string[]> => {
  const [lists, cache] = [join(root, APT, 'lists'), join(root, APT, 'cache')];
  await mkdir(join(lists, 'partial'), { recursive: true });
  await mkdir(join(cache, 'archives', 'partial'), { recursive: true });
  const options = [`Dir::State::Lists=${lists}`, `Dir::Cache=${cache}`, 'APT::Sandbox::User=root'];
  const args = options.flatMap((option) => ['-o', option]);
  await run('apt-get', [...args, 'update'], { timeout: LIMIT_MS });
  return args;
};

/**
 * Unpacks packages of the machine's own Debian release below `root`, and with them the shared libraries that `program`,
 * a path in one of them, lacks here. Needs no root and installs nothing. Throws where there is no apt or no network.
 */
export const unpackDebianPackages = async (
  packages: readonly string[],
  program: string,
  root: string,
): Promise<void> => {
  const debs = join(root, 'debs');
  await mkdir(debs, { recursive: true });
  let lists: readonly string[] = [];
  const download = (names: readonly string[]) =>
    run('apt-get', [...lists, 'download', ...names], { cwd: debs, timeout: LIMIT_MS });
  const unpack = async (names: readonly string[]): Promise<void> => {
    await download(names).catch(async () => {
      lists = await ownLists(root);
      await download(names);
    });
    for (const name of await readdir(debs)) {
      if (names.some((each) => name.startsWith(`${each}_`)))
        await run('dpkg-deb', ['-x', join(debs, name), root]);
    }
  };
  const missing = async (): Promise<readonly string[]> => {
    const env = { ...process.env, LC_ALL: 'C', LD_LIBRARY_PATH: await libraryPath(root) };
    return missingIn((await run('ldd', [join(root, program)], { env })).stdout);
  };
  const isInstalled = (name: string): Promise<boolean> =>
    run('dpkg', ['--status', name]).then(
      ({ stdout }) => /^Status: install ok installed$/m.test(stdout),
      () => false,
    );

  await unpack(packages);
  let last = packages;
  const known = new Set(packages);
  for (let lacks = await missing(); lacks.length > 0; lacks = await missing()) {
    const { stdout } = await run('apt-cache', [...lists, 'depends', ...last]);
    const next: string[] = [];
    for (const name of librariesIn(stdout))
      if (!known.has(name) && !(await isInstalled(name))) next.push(name);
    if (next.length === 0) throw new Error(`no package was found for ${lacks.join(', ')}`);
    await unpack(next);
    for (const name of next) known.add(name);
    last = next;
  }
  for (const done of [debs, join(root, APT)]) await rm(done, { recursive: true, force: true });
};
