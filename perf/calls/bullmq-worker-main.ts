/** The worker of the peer BullMQ: a deposit is a job, and balances are in Redis. */
import { answerQuestions, settingOf } from '../../system/processes/program.js';
import { loadFrom } from '../peers/npm-packages.js';
import { connectRedis } from '../peers/redis-client.js';
import { type BullMq, type BullMqSetting, QUEUE } from './bullmq-caller.js';
import type { DepositAsked } from './moleculer-caller.js';
import type { ResponderQuestions } from './responder-main.js';

/** Jobs that the worker handles at a time. */
const CONCURRENCY = 64;

const { folder, port } = settingOf<BullMqSetting>();
const { Worker } = loadFrom<BullMq>(folder, 'bullmq');
const redis = await connectRedis(port);
const worker = new Worker(
  QUEUE,
  async ({ data: { agent, amount } }: { readonly data: DepositAsked }) => {
    const balance = await redis.incrby(`balance:${agent}`, amount);
    return { status: 'ok', data: { balance } };
  },
  { connection: { host: '127.0.0.1', port }, concurrency: CONCURRENCY },
);
await worker.waitUntilReady();

answerQuestions<ResponderQuestions>({ pid: () => process.pid });
