import { execFile, spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Durability } from '../../schemas/log.js';
import type { Reaper } from '../../system/processes/reaper.js';
import { makeBenchDir } from '../bench/bench-dir.js';
import { killChild, LOOPBACK, loopbackPort, pidOf } from './loopback-server.js';
import { installMavenJars } from './maven-jars.js';
import { installNpmPackages } from './npm-packages.js';
import type { PeerServer } from './peer-server.js';

/** Kafka's broker as jars, and the client that most programs of Node use. */
export interface KafkaPrograms {
  readonly jars: string;
  readonly folder: string;
  readonly version: string;
}

const VERSION = '4.3.1';
const CLIENT = { kafkajs: '2.2.4' };
const LEAST_JAVA = 17;
const PROBE_LIMIT_MS = 30_000;
const FORMAT_LIMIT_MS = 120_000;

/** Of `openjdk version "17.0.15" 2025-04-15`. */
export const javaMajor = (output: string): number => Number(/version "(\d+)/.exec(output)?.[1] ?? 0);

/** Installs Kafka into the cache. Throws where there is no Java, or no Maven. */
export const findKafka = async (say: (line: string) => void): Promise<KafkaPrograms> => {
  const { stderr } = await promisify(execFile)('java', ['-version'], { timeout: PROBE_LIMIT_MS });
  if (javaMajor(stderr) < LEAST_JAVA) throw new Error(`Kafka ${VERSION} needs Java ${LEAST_JAVA}: ${stderr}`);
  const artifact = { group: 'org.apache.kafka', artifact: 'kafka_2.13', version: VERSION };
  const jars = await installMavenJars(artifact, say);
  return { jars, folder: await installNpmPackages('kafkajs', CLIENT, say), version: VERSION };
};

/** As Kafka's scripts have them. */
const JAVA = ['-Xms1G', '-Xmx1G', '-XX:+UseG1GC', '-XX:MaxGCPauseMillis=20', '-Djava.awt.headless=true'];
/** 16 bytes in base64. Each installation has files that are removed with it, so one name is enough. */
const CLUSTER = 'dGFsbHlzdGljay1wZQ';

/** One node that is broker and controller. By default Kafka leaves syncs to the system; `fsync` syncs each batch. */
const settingsOf = (port: number, controller: number, data: string, durability: Durability): string =>
  [
    'process.roles=broker,controller',
    'node.id=1',
    `controller.quorum.voters=1@${LOOPBACK}:${controller}`,
    `listeners=PLAINTEXT://${LOOPBACK}:${port},CONTROLLER://${LOOPBACK}:${controller}`,
    `advertised.listeners=PLAINTEXT://${LOOPBACK}:${port}`,
    'controller.listener.names=CONTROLLER',
    `log.dirs=${data}`,
    'offsets.topic.num.partitions=1',
    'offsets.topic.replication.factor=1',
    'transaction.state.log.replication.factor=1',
    'group.initial.rebalance.delay.ms=0',
    ...(durability === 'fsync' ? ['log.flush.interval.messages=1'] : []),
    '',
  ].join('\n');

/** Starts it on loopback. It is there when a client reaches it. */
export const startKafka = async (
  { jars }: KafkaPrograms,
  durability: Durability,
  reaper: Reaper,
): Promise<PeerServer> => {
  const dir = await makeBenchDir();
  const [port, controller] = [await loopbackPort(), await loopbackPort()];
  const settings = join(dir.path, 'server.properties');
  await writeFile(settings, settingsOf(port, controller, join(dir.path, 'data'), durability));
  const classes = ['-cp', join(jars, '*')];
  const format = ['kafka.tools.StorageTool', 'format', '-t', CLUSTER, '-c', settings];
  await promisify(execFile)('java', [...classes, ...format], { timeout: FORMAT_LIMIT_MS });
  const server = spawn('java', [...JAVA, ...classes, 'kafka.Kafka', settings], {
    cwd: dir.path,
    stdio: 'ignore',
  });
  reaper.track(server);
  return {
    port,
    pid: pidOf('Kafka', server),
    [Symbol.asyncDispose]: async () => {
      await killChild(server);
      await dir[Symbol.asyncDispose]();
    },
  };
};
