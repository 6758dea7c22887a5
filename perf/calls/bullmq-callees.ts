import { startProgram } from '../../system/processes/program.js';
import type { Reaper } from '../../system/processes/reaper.js';
import { makeBenchDir } from '../bench/bench-dir.js';
import { installNpmPackages } from '../peers/npm-packages.js';
import {
  APPEND_FSYNC,
  type AppendFsync,
  findRedis,
  type RedisProgram,
  startRedis,
} from '../peers/redis-server.js';
import type { BullMqSetting } from './bullmq-caller.js';
import { BUSY, type Callee } from './callees.js';
import type { ResponderQuestions } from './responder-main.js';

const PACKAGES = { bullmq: '6.7.0', ioredis: '5.8.2' };

interface BullMqPrograms {
  readonly redis: RedisProgram;
  /** Where npm installed BullMQ. */
  readonly folder: string;
}

/** Throws where there is no Redis, or no npm. */
export const findBullMq = async (say: (line: string) => void): Promise<BullMqPrograms> => {
  const redis = await findRedis(say);
  if (redis === undefined) throw new Error('BullMQ needs Redis');
  const folder = await installNpmPackages('bullmq', PACKAGES, say);
  say(`BullMQ ${PACKAGES.bullmq} with Redis ${redis.version}`);
  return { redis, folder };
};

const startOne = async (
  { redis, folder }: BullMqPrograms,
  appendFsync: AppendFsync,
  reaper: Reaper,
): Promise<Callee> => {
  const dir = await makeBenchDir();
  const server = await startRedis(redis, dir.path, reaper, appendFsync);
  const setting: BullMqSetting = { folder, port: server.port };
  const main = new URL('./bullmq-worker-main.js', import.meta.url);
  const worker = startProgram<ResponderQuestions>(main, setting, reaper);
  const end = async (): Promise<void> => {
    for (const each of [worker, server, dir]) await each[Symbol.asyncDispose]();
  };
  try {
    return {
      name: `bullmq ${appendFsync}`,
      target: { via: 'bullmq', ...setting },
      pids: { server: server.pid, worker: await worker.ask('pid', null) },
      only: [1, BUSY],
      [Symbol.asyncDispose]: end,
    };
  } catch (error) {
    await end();
    throw error;
  }
};

/** BullMQ with a Redis that syncs its file each second, and with one that syncs it before each reply. */
export const startBullMqCallees = async (
  programs: BullMqPrograms,
  reaper: Reaper,
): Promise<readonly Callee[]> => {
  const started: Callee[] = [];
  try {
    for (const level of APPEND_FSYNC) started.push(await startOne(programs, level, reaper));
    return started;
  } catch (error) {
    for (const each of started) await each[Symbol.asyncDispose]();
    throw error;
  }
};
