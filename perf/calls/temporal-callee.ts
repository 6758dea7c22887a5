import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { startProgram } from '../../system/processes/program.js';
import type { Reaper } from '../../system/processes/reaper.js';
import { makeBenchDir } from '../bench/bench-dir.js';
import { killChild, LOOPBACK, loopbackPort, pidOf } from '../peers/loopback-server.js';
import type { TemporalPrograms } from '../peers/temporal.js';
import { BUSY, type Callee } from './callees.js';
import type { ResponderQuestions } from './responder-main.js';
import type { TemporalSetting } from './temporal-caller.js';

/**
 * SQLite syncs its write-ahead log with each commit. Without a file, the dev server stores nothing on disk. With its
 * own settings for a file it syncs too, but one call takes several times as long.
 */
const PRAGMAS = ['journal_mode=wal', 'synchronous=full'].flatMap((each) => ['--sqlite-pragma', each]);

/** Temporal's dev server with a file, and the worker in another process. */
export const startTemporalCallee = async (
  { folder, command }: TemporalPrograms,
  reaper: Reaper,
): Promise<Callee> => {
  const dir = await makeBenchDir();
  const port = await loopbackPort();
  const listens = ['--ip', LOOPBACK, '--port', String(port), '--headless', '--log-level', 'error'];
  const stores = ['--db-filename', join(dir.path, 'temporal.db'), ...PRAGMAS];
  const server = spawn(command, ['server', 'start-dev', ...listens, ...stores], { stdio: 'ignore' });
  reaper.track(server);
  const setting: TemporalSetting = { folder, address: `${LOOPBACK}:${port}` };
  const main = new URL('./temporal-worker-main.js', import.meta.url);
  const worker = startProgram<ResponderQuestions>(main, setting, reaper);
  const end = async (): Promise<void> => {
    await worker[Symbol.asyncDispose]();
    await killChild(server);
    await dir[Symbol.asyncDispose]();
  };
  try {
    return {
      name: 'temporal',
      target: { via: 'temporal', ...setting },
      pids: { server: pidOf('temporal', server), worker: await worker.ask('pid', null) },
      only: [1, BUSY],
      [Symbol.asyncDispose]: end,
    };
  } catch (error) {
    await end();
    throw error;
  }
};
