import { existsSync } from 'node:fs';
import { dirname, isAbsolute, resolve } from 'node:path';
import type { CageRequest } from '../../schemas/cage.js';
import { type Cage, LAUNCHER } from './find-cage.js';
import { limitsFor } from './process-limits.js';
import { commonPaths, DEVICES, isInside, linksOn, packagesFor, realPath, without } from './readable-paths.js';

/** A program and its arguments. */
export type CommandLine = readonly [program: string, args: readonly string[]];

/** What a process may do inside its cage. */
export interface CagePlan {
  /** The directory of the module: paths in {@link request} begin there. */
  readonly dir: string;
  /** Directories of its code. */
  readonly code: readonly string[];
  /** Directories that it reads and writes. They exist. */
  readonly write: readonly string[];
  /** TCP ports that it connects to. */
  readonly connect: readonly number[];
  /** TCP ports that it listens on; 0: any free one. */
  readonly listen: readonly number[];
  /** Never part of what it reads, except its code and the directories that it writes. */
  readonly secret: string;
  /** It starts no other process and opens no socket. */
  readonly isAlone?: boolean;
  /** What its manifest asks for. */
  readonly request?: CageRequest | undefined;
}

const each = (option: string, values: Iterable<string | number>): readonly string[] =>
  [...values].map((value) => `--${option}=${value}`);

/** What a manifest names is no way to the broker's own files. */
const granted = (path: string, { code, secret }: Pick<CagePlan, 'code' | 'secret'>): readonly string[] => {
  const place = realPath(path);
  const isOwn = place !== undefined && code.some((dir) => isInside(dir, place));
  if (place !== undefined && isInside(secret, place) && !isOwn) {
    throw new Error(
      `the manifest names ${path}, which is in the broker's data directory: no module gets that`,
    );
  }
  return without(path, secret);
};

/** A link that the module can replace could lead its next process to any place. */
const checkLinks = (path: string, { dir, write, request = {} }: CagePlan): void => {
  const writable = [...write, ...(request.write ?? []).map((each) => resolve(dir, each))].flatMap(
    (each) => realPath(each) ?? [],
  );
  const link = linksOn(path).find((each) =>
    writable.some((place) => isInside(place, realPath(dirname(each)) ?? each)),
  );
  if (link === undefined) return;
  throw new Error(`the manifest names ${path}: ${link} is a link, and the module could change it`);
};

const given = (plan: CagePlan, paths: readonly string[] = []): readonly string[] =>
  paths
    .map((path) => resolve(plan.dir, path))
    .flatMap((path) => {
      checkLinks(path, plan);
      return granted(path, plan);
    });

/** What it reads besides the files that every module reads. A command line names files too. */
export const ownPaths = (plan: CagePlan, [program, args]: CommandLine): readonly string[] => {
  const named = [program, ...args].filter((word) => isAbsolute(word) && existsSync(word));
  const packages = [plan.dir, ...named.map((file) => dirname(file))].flatMap(packagesFor);
  const own = [...packages, ...plan.code].flatMap((path) => without(path, plan.secret));
  return [...new Set([...own, ...given(plan, named), ...given(plan, plan.request?.read)])];
};

/** The same program in a cage with all layers that this machine has. */
export const inCage = (cage: Cage, plan: CagePlan, line: CommandLine): CommandLine => {
  const { write, connect, listen, secret, isAlone = false, request = {} } = plan;
  const [program, args] = line;
  const layers = [...cage.layers].filter((layer) => layer !== 'limits');
  const options = [
    `--arch=${process.arch}`,
    `--abi=${cage.landlock}`,
    ...each('layer', layers),
    ...(isAlone ? ['--alone'] : []),
    ...limitsFor(write).map(([kind, value]) => `--limit=${kind}:${value}`),
    ...each('read', new Set([...commonPaths(secret), ...ownPaths(plan, line)])),
    ...each('write', [...DEVICES, ...write, ...given(plan, request.write)]),
    ...each('connect', [...connect, ...(request.connect ?? [])]),
    ...each('listen', [...listen, ...(request.listen ?? [])]),
  ];
  return [cage.perl, [LAUNCHER, ...options, '--', program, ...args]];
};
