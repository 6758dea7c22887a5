import { isAbsolute, relative, resolve } from 'node:path';
import type { Command } from 'commander';
import { type Either, isLeft, left } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { CAGE_MODES } from '../../schemas/cage.js';
import {
  DEFAULT_DATA_DIR,
  DEFAULT_HTTP_PORT,
  DEFAULT_NATS_PORT,
  type StartConfig,
  startConfig,
} from '../../schemas/config.js';
import type { Fault } from '../../schemas/errors.js';
import { LOG_LEVELS, type LogLevel } from '../../schemas/log-lines.js';
import { DURABILITIES } from '../../schemas/log.js';
import type { Ready } from '../../schemas/operate.js';
import { LINE_FORMS, type LineForm, setProcessLog, stderrLog } from '../../system/lines/broker-log.js';
import type { ExitCode } from '../output/exit.js';
import { print, printJson } from '../output/output.js';
import { readyText } from '../text/ready-text.js';
import { guestOption } from '../options/guest-option.js';
import { oneOf, repeated } from '../options/option-values.js';
import { typedLog } from '../output/typed-program.js';
import { whenUnwritten } from '../output/output-end.js';
import { runCommand, withExamples } from '../output/run-command.js';
import { loadableDirs } from '../jobs/module-source.js';
import { runBroker } from '../jobs/run-broker.js';
import { readAddress } from '../../link/target.js';

interface Options {
  readonly data: string;
  readonly nats?: string;
  readonly natsPort?: string;
  readonly httpPort?: string;
  readonly http?: boolean;
  readonly durability?: string;
  readonly onLogLoss?: string;
  readonly maxBytes?: string;
  readonly memoryLimit?: string;
  readonly maxConnections?: string;
  readonly module?: readonly string[];
  readonly shipped: boolean;
  readonly grant?: boolean;
  readonly trust?: readonly string[];
  readonly inspect?: readonly string[];
  readonly cage?: string;
  readonly guest?: string;
  readonly limit?: readonly string[];
  readonly listen?: string;
  readonly httpListen?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tlsCa?: string;
  readonly logFormat?: 'auto' | LineForm;
  readonly logLevel?: LogLevel;
  readonly json?: boolean;
}

const LOG_LOSS = ['rebuild', 'stop'] as const satisfies readonly StartConfig['onLogLoss'][];

const FLAGS: Readonly<Record<string, string>> = {
  '/dataDir': '--data',
  '/natsUrl': '--nats',
  '/natsPort': '--nats-port',
  '/httpPort': '--http-port',
  '/durability': '--durability',
  '/onLogLoss': '--on-log-loss',
  '/maxBytes': '--max-bytes',
  '/memoryLimitBytes': '--memory-limit',
  '/maxConnections': '--max-connections',
  '/cage': '--cage',
  '/guest': '--guest',
  '/listen': '--listen',
  '/httpListen': '--http-listen',
};

/** Options that may be given several times; the path names one of the values. */
const LISTS: Readonly<Record<string, string>> = {
  '/trusted': '--trust MODULE=NKEY',
  '/inspected': '--inspect MODULE[=PORT]',
  '/limits': '--limit WHO:NAME=VALUE',
};

const named = (problem: Fault): Fault => {
  const path = problem.path ?? '';
  const flag = LISTS[`/${path.split('/')[1] ?? ''}`] ?? FLAGS[path];
  return flag === undefined ? problem : { ...problem, message: `${flag}: ${problem.message}` };
};

const isInside = (dir: string, file: string | undefined): boolean => {
  if (file === undefined || file === '') return false;
  const path = relative(dir, resolve(file));
  return !path.startsWith('..') && !isAbsolute(path);
};

/**
 * The server elsewhere, if there is one: `--nats`, or NATS_URL. A NATS_URL that `tallystick env` set for this data
 * directory does not count. It names the embedded server, also after that has ended, and the broker would wait for
 * itself.
 */
const serverElsewhere = ({ nats, natsPort, data }: Options, env: NodeJS.ProcessEnv): string | undefined => {
  if (nats !== undefined) return nats;
  const url = env.NATS_URL;
  if (url === undefined || url === '' || natsPort !== undefined) return undefined;
  const dataDir = resolve(data);
  const isOwn = isInside(dataDir, env.NATS_NKEY) || readAddress(dataDir)?.nats === url;
  return isOwn ? undefined : url;
};

/** The configuration from options and environment, or USAGE that names the option. */
export const configOf = (
  options: Options,
  env: NodeJS.ProcessEnv = process.env,
): Either<Fault, StartConfig> => {
  const natsUrl = serverElsewhere(options, env);
  const config = startConfig({
    dataDir: resolve(options.data),
    natsUrl,
    natsPort: options.natsPort,
    http: options.http,
    httpPort: options.httpPort,
    durability: options.durability,
    onLogLoss: options.onLogLoss,
    maxBytes: options.maxBytes,
    memoryLimitBytes: options.memoryLimit,
    maxConnections: options.maxConnections,
    modules: options.module ?? [],
    shipped: options.shipped,
    grant: options.grant,
    trusted: options.trust,
    inspected: options.inspect,
    cage: options.cage,
    guest: options.guest,
    limits: options.limit,
    listen: options.listen,
    httpListen: options.httpListen,
    tlsCert: options.tlsCert,
    tlsKey: options.tlsKey,
    tlsCa: options.tlsCa,
  });
  return isLeft(config) ? left(named(config.left)) : config;
};

const start =
  (options: Options): TaskEither<Fault, ExitCode> =>
  async () => {
    // If the reader of the output ends, the broker still serves others.
    whenUnwritten('continue');
    const config = configOf(options);
    if (isLeft(config)) return config;
    const modules = await loadableDirs(config.right.modules, config.right.dataDir, {
      cage: config.right.cage,
    })();
    if (isLeft(modules)) return modules;
    const onReady = (ready: Ready): void => {
      if (options.json === true) printJson(ready);
      else print(readyText(ready));
    };
    const { logFormat = 'auto', logLevel = 'info' } = options;
    const form = logFormat === 'auto' ? (process.stderr.isTTY ? 'text' : 'json') : logFormat;
    const log = typedLog(stderrLog(process.stderr, { form, level: logLevel }));
    setProcessLog(log);
    return runBroker({ ...config.right, modules: [...modules.right] }, { log, onReady })();
  };

export const addStart = (program: Command): void => {
  const command = program
    .command('start')
    .description('start the broker: server, log and modules; SIGTERM or Ctrl-C drains and ends it')
    .option('--data <dir>', 'data directory', `./${DEFAULT_DATA_DIR}`)
    .option('--nats <url>', 'a NATS server that runs elsewhere (default: NATS_URL, else an embedded server)')
    .option(
      '--nats-port <port>',
      `port of the embedded server, 0 for a free one (default: ${DEFAULT_NATS_PORT})`,
    )
    .option(
      '--http-port <port>',
      `port of the HTTP API on this machine, 0 for a free one (default: ${DEFAULT_HTTP_PORT}, or a free one)`,
    )
    .option('--no-http', 'do not serve the HTTP API')
    .addOption(
      oneOf(
        '--durability <level>',
        'what an acknowledged record survives: fsync (loss of power) or os (death of any process)',
        DURABILITIES,
      ).default('fsync'),
    )
    .addOption(
      oneOf(
        '--on-log-loss <what>',
        'after a loss of records: rebuild (fold the states from the remaining records) or stop',
        LOG_LOSS,
      ).default('rebuild'),
    )
    .option(
      '--max-bytes <size>',
      'size limit of the log, such as 10GB (default: a share of the free disk space)',
    )
    .option('--memory-limit <size>', 'memory target of the embedded server, such as 700MiB')
    .option('--max-connections <number>', 'connections of guests at the same time (default: 64)')
    .option(
      '--module <path>',
      'load this module too: a source file, a directory or a package; repeatable',
      repeated,
    )
    .option('--no-shipped', 'do not load the modules that ship with the package')
    .option('--grant', 'give modules what their manifests ask for, also if a version before asked for less')
    .option(
      '--trust <module=nkey>',
      "trust a program with this public nkey to write the module's events; it gets full access to the log",
      repeated,
    )
    .option(
      '--inspect <module[=port]>',
      'let a debugger of Node attach to this module, on this machine only (default port: 9229)',
      repeated,
    )
    .addOption(
      oneOf(
        '--cage <mode>',
        'cage of module processes: auto (each layer that this machine has), required (refuse to start without one) or off',
        CAGE_MODES,
      ).default('auto'),
    )
    .addOption(guestOption())
    .option(
      '--limit <who:limit>',
      'a limit of guest, operator, modules or one module, such as guest:rate=200/s; repeatable',
      repeated,
    )
    .option(
      '--listen <host:port>',
      'take connections of other machines here too, with TLS, such as 0.0.0.0:4443 (default: loopback only)',
    )
    .option(
      '--http-listen <host:port>',
      'serve HTTP to other machines here too, with TLS, such as 0.0.0.0:8443 (default: loopback only)',
    )
    .option('--tls-cert <file>', 'certificate of the broker for --listen and --http-listen, PEM')
    .option('--tls-key <file>', 'key of that certificate, PEM')
    .option(
      '--tls-ca <file>',
      'authorities of client certificates, PEM: each client needs one, besides its token',
    )
    .addOption(
      oneOf(
        '--log-format <form>',
        'how stderr shows log lines: text, json, or auto (text on a terminal, else JSON)',
        ['auto', ...LINE_FORMS],
      ).default('auto'),
    )
    .addOption(
      oneOf('--log-level <level>', 'print log lines of this level and above it', LOG_LEVELS).default('info'),
    )
    .option('--json', 'print one JSON object when ready')
    .action((options: Options) => runCommand(start(options)));
  withExamples(command, [
    'tallystick start',
    'tallystick start --data /var/lib/tallystick --max-bytes 10GB --memory-limit 700MiB',
    'tallystick start --nats-port 0 --json',
    'tallystick start --limit guest:rate=200/s --limit guest:open=1000 --limit modules:log=50%',
    'tallystick start --listen 0.0.0.0:4443 --tls-cert broker.pem --tls-key broker.key',
    'tallystick start --http-listen 0.0.0.0:8443 --tls-cert broker.pem --tls-key broker.key',
    'tallystick start --nats nats://broker.example:4222 --module ./my-module',
  ]);
};
