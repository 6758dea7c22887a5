import { existsSync, lstatSync, readdirSync, realpathSync } from 'node:fs';
import { dirname, isAbsolute, join, relative } from 'node:path';
import { ownPackage } from '../files/own-package.js';

/** The parts of a Linux system that programs read. Of /etc, only files that a program without rights needs. */
const SYSTEM = [
  ...['/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/nix/store', '/gnu/store', '/run/current-system'],
  ...['ssl', 'pki', 'ca-certificates', 'crypto-policies', 'alternatives', 'ld.so.cache', 'ld.so.conf.d'].map(
    inEtc,
  ),
  ...['ld.so.conf', 'resolv.conf', 'hosts', 'host.conf', 'nsswitch.conf', 'gai.conf', 'services'].map(inEtc),
  ...['protocols', 'localtime', 'timezone', 'passwd', 'group', 'os-release', 'mime.types'].map(inEtc),
  '/run/systemd/resolve',
  // Landlock refuses memory, environment and files of other processes there.
  '/proc',
  '/sys/devices/system/cpu',
  '/sys/fs/cgroup',
  '/dev/urandom',
  '/dev/random',
];

function inEtc(name: string): string {
  return `/etc/${name}`;
}

/** The parts of a system that programs write. */
export const DEVICES = ['/dev/null', '/dev/zero', '/dev/full'];

export const isInside = (dir: string, path: string): boolean => {
  const way = relative(dir, path);
  return way === '' || (way !== '..' && !way.startsWith('../') && !isAbsolute(way));
};

const entriesOf = (dir: string): readonly string[] => {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
};

export const realPath = (path: string): string | undefined => {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
};

/**
 * A path without a directory in it: Landlock opens a directory with all that is in it. A file that appears later next
 * to that directory is left out too.
 */
export const without = (path: string, secret: string): readonly string[] => {
  const place = realPath(path);
  if (place === undefined) return [];
  if (!isInside(place, secret)) return [place];
  if (place === secret) return [];
  return entriesOf(place).flatMap((name) => without(join(place, name), secret));
};

const ancestors = (dir: string): readonly string[] =>
  dir === dirname(dir) ? [dir] : [dir, ...ancestors(dirname(dir))];

const isLink = (path: string): boolean => {
  try {
    return lstatSync(path).isSymbolicLink();
  } catch {
    return false;
  }
};

/** The symbolic links on the way to a path, and the path if it is one. */
export const linksOn = (path: string): readonly string[] => ancestors(path).filter(isLink);

/** Packages that are linked into a `node_modules` and lie elsewhere. */
const linkedIn = (folder: string): readonly string[] => {
  try {
    return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory() && entry.name.startsWith('@')) return linkedIn(path);
      const target = entry.isSymbolicLink() ? realPath(path) : undefined;
      return target === undefined || isInside(folder, target) ? [] : [target];
    });
  } catch {
    return [];
  }
};

/** The packages that code in a directory finds. */
export const packagesFor = (dir: string): readonly string[] =>
  ancestors(dir)
    .map((each) => join(each, 'node_modules'))
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => [folder, ...linkedIn(folder)]);

/** This package, with the packages that it needs; and Node. */
const ownFiles = (): readonly string[] => {
  const { root } = ownPackage();
  const node = realpathSync(process.execPath);
  return [
    ...['dist', 'package.json', 'modules', 'schemas'].map((name) => join(root, name)),
    ...packagesFor(root),
    node,
    join(dirname(dirname(node)), 'lib'),
  ];
};

const known = new Map<string, readonly string[]>();

/** What every process of a module may read, whatever the module; without a directory. */
export const commonPaths = (secret: string): readonly string[] => {
  const paths = known.get(secret) ?? [...SYSTEM, ...ownFiles()].flatMap((path) => without(path, secret));
  known.set(secret, paths);
  return paths;
};
