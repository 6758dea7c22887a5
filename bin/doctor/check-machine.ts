import { readFileSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../system/files/package-root.js';
import { formatBytes } from '../../text/bytes.js';
import { type Diagnosis, asOk, asProblem, asWarning } from './diagnosis.js';

const MIB = 1024 * 1024;
/** A server, a broker and three modules need about 350 MiB when they have no work. */
const LITTLE_MEMORY = 1024 * MIB;
/** The server opens a file for each part of the log, and each connection takes one. */
const FEW_FILES = 4_096;

interface PackageFile {
  readonly engines: { readonly node: string };
  readonly os: readonly string[];
}

const isOlder = (version: string, least: string): boolean => {
  const [a, b] = [version, least].map((text) => text.split('.').map(Number));
  const at = [0, 1, 2].find((i) => (a?.[i] ?? 0) !== (b?.[i] ?? 0));
  return at !== undefined && (a?.[at] ?? 0) < (b?.[at] ?? 0);
};

/** Whether the running Node is one that this package supports. */
export const checkNode = (version = process.versions.node): Diagnosis => {
  const file = readFileSync(join(packageRoot(import.meta.url), 'package.json'), 'utf8');
  const { engines, os } = JSON.parse(file) as PackageFile;
  const least = engines.node.replace(/^>=/, '');
  const found = `${version} on ${process.platform} ${process.arch}`;
  if (isOlder(version, least)) return asProblem('Node', found, `install Node ${least} or newer`);
  return os.includes(process.platform)
    ? asOk('Node', found)
    : asProblem('Node', found, `run it on one of these systems: ${os.join(', ')}`);
};

export const checkMemory = (bytes = totalmem(), processors = availableParallelism()): Diagnosis => {
  const found = `${formatBytes(bytes)}, ${processors} processor${processors === 1 ? '' : 's'}`;
  return bytes < LITTLE_MEMORY
    ? asWarning('memory', found, 'give the machine 1 GiB or more, or start with a smaller --memory-limit')
    : asOk('memory', found);
};

/** The limit of open files that a child of this process gets; undefined where the system does not tell it in a file. */
const openFiles = (limits: string): number | undefined => {
  const soft = /^Max open files\s+(\d+|unlimited)/m.exec(limits)?.[1];
  if (soft === undefined) return undefined;
  return soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft);
};

const ownLimits = (): string => {
  try {
    return readFileSync('/proc/self/limits', 'utf8');
  } catch {
    return '';
  }
};

/** Undefined where it cannot be known. */
export const checkOpenFiles = (limits = ownLimits()): Diagnosis | undefined => {
  const most = openFiles(limits);
  if (most === undefined) return undefined;
  const found = `${most === Number.POSITIVE_INFINITY ? 'any number' : most} at a time`;
  return most < FEW_FILES
    ? asWarning('open files', found, `run \`ulimit -n ${FEW_FILES}\` or more before \`tallystick start\``)
    : asOk('open files', found);
};
