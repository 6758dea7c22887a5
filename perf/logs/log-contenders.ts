import { join } from 'node:path';
import { newUserKey } from '../../link/nkey.js';
import type { Durability } from '../../schemas/log.js';
import { type Program, startProgram } from '../../system/processes/program.js';
import type { Reaper } from '../../system/processes/reaper.js';
import { startBenchBroker } from '../bench/bench-broker.js';
import { makeBenchDir } from '../bench/bench-dir.js';
import { writeBenchModule } from '../bench/bench-module.js';
import { startBenchServer } from '../bench/bench-server.js';
import { brokerProcesses } from '../bench/broker-processes.js';
import type { PidsByRole } from '../bench/processor-time.js';
import { findKafka, startKafka } from '../peers/kafka-server.js';
import { peerLeftOut } from '../peers/left-out.js';
import { findRabbitMq, startRabbitMq } from '../peers/rabbitmq-server.js';
import { APPEND_FSYNC, type AppendFsync, findRedis, startRedis } from '../peers/redis-server.js';
import { LOG_MODULE } from './clients/own-log.js';
import type { PeerLogPlace } from './clients/log-client.js';
import type { LogReaderQuestions } from './log-reader-main.js';
import type { LogWriterQuestions } from './log-writer-main.js';

/** What survives a loss of power: nothing; what the system had written by then; what was acknowledged. */
export type StoreLevel = 'none' | Durability;

/** A log, started, with the processes that write and read. */
export interface LogContender extends AsyncDisposable {
  readonly name: string;
  readonly level: StoreLevel;
  readonly isOwn: boolean;
  /** Its reader must be there before its writer: nothing is between them. */
  readonly isDirect: boolean;
  /** What was set, and why. */
  readonly note: string;
  readonly writer: Program<LogWriterQuestions>;
  readonly reader: Program<LogReaderQuestions>;
  /** All processes by their part: the servers, the writer and the reader. */
  readonly pids: PidsByRole<string>;
}

/** What a reader must know of a log to understand its figures. */
export type LogAbout = Pick<LogContender, 'name' | 'level' | 'isOwn' | 'note'>;

/** The servers of a log. */
interface StartedLog extends Pick<LogContender, 'name' | 'level' | 'note'> {
  readonly isOwn?: boolean;
  readonly isDirect?: boolean;
  readonly place: PeerLogPlace;
  readonly servers: PidsByRole<string>;
  readonly undo: readonly AsyncDisposable[];
}

interface StartSetting {
  readonly reaper: Reaper;
  readonly say: (line: string) => void;
}

type StartsLogs = (setting: StartSetting) => Promise<readonly (() => Promise<StartedLog>)[]>;

const LEVELS = ['os', 'fsync'] as const satisfies readonly Durability[];

const startTallystick = async (level: Durability, { reaper }: StartSetting): Promise<StartedLog> => {
  const dir = await makeBenchDir();
  const data = join(dir.path, 'data');
  const { publicKey, seed } = newUserKey();
  const module = writeBenchModule(dir.path, LOG_MODULE);
  const args = ['--no-shipped', '--module', module, '--trust', `${LOG_MODULE.manifest.name}=${publicKey}`];
  const broker = await startBenchBroker(data, reaper, level, args);
  const { server, broker: daemon } = await brokerProcesses(data);
  return {
    name: `Tallystick ${level}`,
    level,
    isOwn: true,
    note: `a broker with --durability ${level}; events by a producer of the journal, with number, fence and index; a subscription whose position the broker keeps`,
    place: { via: 'tallystick', url: broker.url, seed, data },
    servers: { server, broker: daemon },
    undo: [broker, dir],
  };
};

const startJetStream = async (level: Durability, { say }: StartSetting): Promise<StartedLog> => {
  const server = await startBenchServer(level, say);
  const pid = server.pid();
  if (pid === undefined) throw new Error('the server has ended');
  const sync = level === 'fsync' ? 'sync_interval: always' : 'the default sync_interval, 2 minutes';
  return {
    name: `JetStream ${level}`,
    level,
    note: `nats-server ${server.version}, a stream in a file, ${sync}; nats.js, js.publish; a durable consumer that acknowledges each message`,
    place: { via: 'jetstream', url: server.url },
    servers: { server: pid },
    undo: [server],
  };
};

const REDIS_LEVELS = { everysec: 'os', always: 'fsync' } as const satisfies Record<AppendFsync, Durability>;

const startRedisStreams: StartsLogs = async ({ reaper, say }) => {
  const program = await findRedis(say);
  if (program === undefined) throw new Error('there is no redis-server');
  return APPEND_FSYNC.map((sync) => async () => {
    const dir = await makeBenchDir();
    const server = await startRedis(program, dir.path, reaper, sync);
    return {
      name: `Redis ${sync}`,
      level: REDIS_LEVELS[sync],
      note: `Redis ${program.version}, appendfsync ${sync}; ioredis, XADD, pipelines of a batch; a consumer group, one XACK a page`,
      place: { via: 'redis', port: server.port },
      servers: { server: server.pid },
      undo: [server, dir],
    };
  });
};

const startRabbit: StartsLogs = async ({ reaper, say }) => {
  const programs = await findRabbitMq(say);
  return [
    async () => {
      const server = await startRabbitMq(programs, reaper);
      return {
        name: 'RabbitMQ fsync',
        level: 'fsync',
        note: `RabbitMQ ${programs.version} of Debian, a quorum queue on one node: its log is synced before it confirms; amqplib, confirms; prefetch 500, each message acknowledged`,
        place: { via: 'rabbitmq', port: server.port, folder: programs.folder },
        servers: { server: server.pid },
        undo: [server],
      };
    },
  ];
};

const startKafkas: StartsLogs = async ({ reaper, say }) => {
  const programs = await findKafka(say);
  return LEVELS.map((level) => async () => {
    const server = await startKafka(programs, level, reaper);
    const sync = level === 'fsync' ? 'log.flush.interval.messages=1' : 'by default the system syncs';
    return {
      name: `Kafka ${level}`,
      level,
      note: `Kafka ${programs.version}, KRaft, one node, one partition, acks=all, ${sync}; KafkaJS, one send for each batch; a group that commits after each batch`,
      place: { via: 'kafka', port: server.port, folder: programs.folder },
      servers: { server: server.pid },
      undo: [server],
    };
  });
};

const startSocket: StartsLogs = async () => [
  async () => {
    const dir = await makeBenchDir();
    return {
      name: 'Unix socket',
      level: 'none',
      isDirect: true,
      note: 'the upper limit: straight from one process to the other, which replies; nothing is stored',
      place: { via: 'unix socket', path: join(dir.path, 'socket') },
      servers: {},
      undo: [dir],
    };
  },
];

const OWN: StartsLogs = async (setting) => LEVELS.map((level) => () => startTallystick(level, setting));

const PEERS = {
  jetstream: async (setting) => LEVELS.map((level) => () => startJetStream(level, setting)),
  redis: startRedisStreams,
  kafka: startKafkas,
  rabbitmq: startRabbit,
  socket: startSocket,
} as const satisfies Readonly<Record<string, StartsLogs>>;

export const LOG_PEERS = Object.keys(PEERS) as readonly (keyof typeof PEERS)[];

const contenderOf = async (started: StartedLog, reaper: Reaper): Promise<LogContender> => {
  const { place, servers, undo, isOwn = false, isDirect = false, name, level, note } = started;
  const writer = startProgram<LogWriterQuestions>(
    new URL('./log-writer-main.js', import.meta.url),
    place,
    reaper,
  );
  const reader = startProgram<LogReaderQuestions>(
    new URL('./log-reader-main.js', import.meta.url),
    place,
    reaper,
  );
  const end = async (): Promise<void> => {
    for (const each of [writer, reader, ...undo]) await each[Symbol.asyncDispose]();
  };
  try {
    if (isDirect) await reader.ask('open', null);
    const { pid } = await writer.ask('open', null);
    const pids = { ...servers, writer: pid, reader: await reader.ask('pid', null) };
    return { name, level, isOwn, isDirect, note, writer, reader, pids, [Symbol.asyncDispose]: end };
  } catch (error) {
    await end();
    throw error;
  }
};

/** Starts our own logs, and those of the wanted peers that this machine can have. */
export const startLogContenders = async (
  wanted: readonly string[],
  { reaper, say }: StartSetting,
): Promise<readonly LogContender[]> => {
  const all: LogContender[] = [];
  const start = async (starts: StartsLogs): Promise<void> => {
    for (const each of await starts({ reaper, say })) all.push(await contenderOf(await each(), reaper));
  };
  try {
    await start(OWN);
  } catch (error) {
    for (const each of all) await each[Symbol.asyncDispose]();
    throw error;
  }
  for (const name of LOG_PEERS) {
    if (!wanted.includes(name)) continue;
    try {
      await start(PEERS[name]);
    } catch (error) {
      say(peerLeftOut(name, error));
    }
  }
  return all;
};
