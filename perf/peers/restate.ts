import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { installNpmPackages } from './npm-packages.js';

/** Restate's server, its SDK, and a Node that runs the SDK. */
export interface RestatePrograms {
  readonly folder: string;
  readonly server: string;
  readonly node: string;
  readonly version: string;
}

const VERSION = '1.7.12';
const SDK_VERSION = '1.17.2';
/** The SDK needs Node 22. An older Node gets this one, which npm has for Linux. */
const LEAST_NODE = 22;
const NODE_VERSION = '24.9.0';

const existing = (path: string): string => {
  if (!existsSync(path)) throw new Error(`${path} was not installed`);
  return path;
};

/** Installs Restate into the cache. Throws if npm does not have it for this machine. */
export const findRestate = async (say: (line: string) => void): Promise<RestatePrograms> => {
  const kind = `${process.platform}-${process.arch}`;
  const isOldNode = Number(process.versions.node.split('.')[0]) < LEAST_NODE;
  const server = `@restatedev/restate-server-${kind}`;
  const node = `node-${kind}`;
  const sdk = { [server]: VERSION, '@restatedev/restate-sdk': SDK_VERSION };
  const packages = isOldNode ? { ...sdk, [node]: NODE_VERSION } : sdk;
  const folder = await installNpmPackages('restate', packages, say);
  const within = (...path: string[]): string => existing(join(folder, 'node_modules', ...path));
  return {
    folder,
    server: within(server, 'bin', 'restate-server'),
    node: isOldNode ? within(node, 'bin', 'node') : process.execPath,
    version: VERSION,
  };
};
