/**
 * Loaded into each Node process of a run with `--profile`, before its program. It samples what the process runs, and
 * writes that each second: a process that is killed loses a second at most.
 */
import childProcess from 'node:child_process';
import { renameSync, writeFileSync } from 'node:fs';
import { type Profiler, Session } from 'node:inspector';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { threadId } from 'node:worker_threads';
import { MODULE_ENV } from '../../schemas/control.js';
import { CHUNK_END, FOLDER_END, PROFILE_DIR, PROFILE_NAME, type NodeChunk } from './node-chunk.js';

const SAMPLE_US = 1_000;
const CHUNK_MS = 1_000;

const programName = (): string => {
  const file = (process.argv[1] ?? 'node').split('/').at(-1) ?? 'node';
  return file.replace(/\.[cm]?[jt]s$/, '');
};

/** Samples this thread until its end. The function that it gives writes what there is so far. */
const sample = (dir: string, name: string): (() => void) => {
  const session = new Session();
  session.connect();
  session.post('Profiler.enable');
  session.post('Profiler.setSamplingInterval', { interval: SAMPLE_US });
  session.post('Profiler.start');
  let count = 0;
  const write = (profile: Profiler.Profile): void => {
    const chunk: NodeChunk = { name, pid: process.pid, thread: threadId, profile };
    const path = join(dir, `${process.pid}-${threadId}-${count++}`);
    try {
      // Under its last name it is whole.
      writeFileSync(`${path}.part`, JSON.stringify(chunk));
      renameSync(`${path}.part`, `${path}${CHUNK_END}`);
    } catch {
      // The folder of a module goes with its broker, and the process is about to end too.
    }
  };
  const cut = (): void =>
    session.post('Profiler.stop', (error, found) => {
      if (error === null) write(found.profile);
    });
  const next = (): void => {
    cut();
    session.post('Profiler.start');
  };
  setInterval(next, CHUNK_MS).unref();
  process.on('exit', cut);
  return next;
};

/**
 * A broker gives its modules no environment but what they need, and a module in a cage writes only into its folder. So
 * modules get these variables here, and write into that folder, which is noted.
 */
const passOn = (options: string, dir: string): void => {
  const { spawn } = childProcess;
  const patched = (program: string, args: readonly string[], more: childProcess.SpawnOptions = {}) => {
    const env = more.env;
    const snapshots = env?.[MODULE_ENV.snapshots];
    if (env === undefined || snapshots === undefined || env[PROFILE_DIR] !== undefined)
      return spawn(program, args, more);
    writeFileSync(join(dir, `${process.pid}-${performance.now()}${FOLDER_END}`), snapshots);
    const added = {
      NODE_OPTIONS: options,
      [PROFILE_DIR]: snapshots,
      [PROFILE_NAME]: `module-${env[MODULE_ENV.name] ?? ''}`,
    };
    return spawn(program, args, { ...more, env: { ...env, ...added } });
  };
  childProcess.spawn = patched as typeof spawn;
  syncBuiltinESMExports();
};

const dir = process.env[PROFILE_DIR];
/** Writes what this process has sampled so far. */
export const writeSamples: () => void =
  dir === undefined ? () => undefined : sample(dir, process.env[PROFILE_NAME] ?? programName());
if (dir !== undefined) passOn(process.env.NODE_OPTIONS ?? '', dir);
