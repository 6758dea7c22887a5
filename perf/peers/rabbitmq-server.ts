import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { cacheDir } from '../../broker/server/cache.js';
import { installFolder } from '../../system/files/install.js';
import type { Reaper } from '../../system/processes/reaper.js';
import { makeBenchDir } from '../bench/bench-dir.js';
import { libraryPath, unpackDebianPackages } from './debian-packages.js';
import { killChild, LOOPBACK, loopbackPort, pidOf } from './loopback-server.js';
import { installNpmPackages } from './npm-packages.js';
import type { PeerServer } from './peer-server.js';

/** RabbitMQ and Erlang, unpacked below a folder, and the client for Node. */
export interface RabbitMqPrograms {
  readonly erlang: string;
  /** `erts-…` in it. */
  readonly runtime: string;
  /** Of RabbitMQ: it has `plugins`. */
  readonly home: string;
  readonly version: string;
  readonly libraries: string;
  /** Where npm installed the client. */
  readonly folder: string;
}

const CLIENT = { amqplib: '2.3.1' };

const ERLANG = [
  ...['base', 'asn1', 'crypto', 'eldap', 'ftp', 'inets', 'mnesia', 'os-mon', 'parsetools', 'public-key'],
  ...['runtime-tools', 'snmp', 'ssl', 'syntax-tools', 'tftp', 'tools', 'xmerl'],
].map((name) => `erlang-${name}`);

const onlyIn = async (folder: string, prefix: string): Promise<string> => {
  const found = (await readdir(folder)).find((name) => name.startsWith(prefix));
  if (found === undefined) throw new Error(`${folder} has no ${prefix}…`);
  return found;
};

const HOME = 'rabbitmq_server-';

const programsIn = async (root: string): Promise<Omit<RabbitMqPrograms, 'folder'>> => {
  const erlang = join(root, 'usr', 'lib', 'erlang');
  const releases = join(root, 'usr', 'lib', 'rabbitmq', 'lib');
  const name = await onlyIn(releases, HOME);
  return {
    erlang,
    runtime: await onlyIn(erlang, 'erts-'),
    home: join(releases, name),
    version: name.slice(HOME.length),
    libraries: await libraryPath(root),
  };
};

/** From the packages of the machine's Debian, kept in the cache. Throws where there is no apt or no network. */
export const findRabbitMq = async (say: (line: string) => void): Promise<RabbitMqPrograms> => {
  const root = join(resolve(cacheDir()), `rabbitmq-${process.platform}-${process.arch}`);
  if (!existsSync(root)) {
    say(`fetching rabbitmq-server and Erlang as Debian packages, once (kept in ${root})`);
    await installFolder(root, async (work) => {
      const shell = join('usr', 'lib', 'erlang', 'bin', 'erl_call');
      await unpackDebianPackages(['rabbitmq-server', ...ERLANG], shell, work);
      await programsIn(work);
    });
  }
  return { ...(await programsIn(root)), folder: await installNpmPackages('amqplib', CLIENT, say) };
};

/** Arguments of the runtime as RabbitMQ's script gives them. */
const RUNTIME = [
  ...[
    '+W',
    'w',
    '+MBas',
    'ageffcbf',
    '+MHas',
    'ageffcbf',
    '+MBlmbcs',
    '512',
    '+MHlmbcs',
    '512',
    '+MMmcs',
    '30',
  ],
  ...['+P', '1048576', '+t', '5000000', '+stbt', 'db', '+zdbbl', '128000'],
  ...['+sbwt', 'none', '+sbwtdcpu', 'none', '+sbwtdio', 'none'],
];
const BOOT = [
  ...['-pa', '', '-noinput', '-s', 'rabbit', 'boot', '-boot', 'start_sasl'],
  ...['-syslog', 'logger', '[]', '-syslog', 'syslog_error_logger', 'false'],
  ...[
    '-kernel',
    'prevent_overlapping_partitions',
    'false',
    '-kernel',
    'inet_dist_use_interface',
    '{127,0,0,1}',
  ],
];

/** Starts it on loopback with its defaults. It is there when a client reaches it. */
export const startRabbitMq = async (programs: RabbitMqPrograms, reaper: Reaper): Promise<PeerServer> => {
  const { erlang, runtime, home, libraries } = programs;
  const dir = await makeBenchDir();
  const [port, between, names] = [await loopbackPort(), await loopbackPort(), await loopbackPort()];
  const bin = join(erlang, runtime, 'bin');
  const env = {
    ...process.env,
    LD_LIBRARY_PATH: libraries,
    HOME: dir.path,
    ROOTDIR: erlang,
    BINDIR: bin,
    EMU: 'beam',
    PROGNAME: 'erl',
    ERL_LIBS: join(home, 'plugins'),
    ERL_MAX_ETS_TABLES: '50000',
    ERL_MAX_PORTS: '65536',
    ERL_EPMD_PORT: String(names),
    ERL_EPMD_ADDRESS: LOOPBACK,
    RABBITMQ_NODENAME: 'peer@localhost',
    RABBITMQ_NODE_IP_ADDRESS: LOOPBACK,
    RABBITMQ_NODE_PORT: String(port),
    RABBITMQ_DIST_PORT: String(between),
    RABBITMQ_MNESIA_BASE: join(dir.path, 'mnesia'),
    RABBITMQ_LOG_BASE: join(dir.path, 'log'),
    RABBITMQ_LOGS: '-',
    RABBITMQ_CONF_ENV_FILE: '/dev/null',
    RABBITMQ_CONFIG_FILE: join(dir.path, 'rabbitmq'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(dir.path, 'enabled_plugins'),
  };
  // Erlang would start its daemon of names for the whole machine, and leave it running.
  const epmd = spawn(join(bin, 'epmd'), [], { env, cwd: dir.path, stdio: 'ignore' });
  reaper.track(epmd);
  const args = [...RUNTIME, ...BOOT];
  const server = spawn(join(bin, 'erlexec'), args, { env, cwd: dir.path, stdio: 'ignore' });
  reaper.track(server);
  return {
    port,
    pid: pidOf('RabbitMQ', server),
    [Symbol.asyncDispose]: async () => {
      for (const child of [server, epmd]) await killChild(child);
      await dir[Symbol.asyncDispose]();
    },
  };
};
