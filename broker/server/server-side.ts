import { join, resolve } from 'node:path';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { makeDirs } from '../../system/files/make-dirs.js';
import type { StartConfig } from '../../schemas/config.js';
import type { Fault } from '../../schemas/errors.js';
import type { Manifest } from '../../schemas/manifest.js';
import { Access, type BrokerKeys } from '../access/access.js';
import { newUserKey } from '../../link/nkey.js';
import { KeyStore } from '../access/keys.js';
import { guestAccounts } from '../access/guest-accounts.js';
import { withoutTokenBy } from '../access/limits.js';
import type { PlannedPrincipal } from '../access/principal-plan.js';
import { accountsConfig, serverConfig } from '../access/server-config.js';
import type { BrokerLog } from '../../system/lines/broker-log.js';
import { freePort } from '../../system/processes/free-port.js';
import { SERVER_CONFIG, checkServerPort } from './server-port.js';
import type { Reaper } from '../../system/processes/reaper.js';
import { DiskWatch } from './disk-watch.js';
import { checkDurableServer } from './durable-server.js';
import { type EmbeddedServer, startEmbedded } from './embedded.js';
import { findServer } from './find.js';
import { type Link, openLink } from './link.js';
import { defaultMemoryLimitBytes } from './memory-limit.js';
import { serverLines } from './server-lines.js';
import type { OnProgress } from './progress.js';
import { checkServerVersion } from './version.js';

/** The NATS server as the rest of the broker sees it, embedded or elsewhere. */
export interface ServerSide {
  readonly url: string;
  readonly embedded: boolean;
  /** Of the embedded server; null while none runs. */
  readonly pid: () => number | null;
  readonly access: Access;
  readonly link: Link;
  /** Ends the embedded server, and starts it again. */
  readonly restart?: () => void;
  /** Why no call can be taken, while that is so: the disk is full. */
  readonly refusal: () => Fault | undefined;
  /** File with the operator's nkey seed. */
  readonly operatorSeed: string;
  /** Closes the connections and ends the server if it is the broker's own. */
  readonly stop: () => Promise<void>;
}

export interface ServerSideOptions {
  readonly config: StartConfig;
  readonly dataDir: string;
  /** Modules whose accounts the server has from its start. */
  readonly manifests: readonly Manifest[];
  /** Principals whose accounts the server has from its start. */
  readonly principals: readonly PlannedPrincipal[];
  readonly reaper: Reaper;
  readonly log: BrokerLog;
  readonly onProgress: OnProgress;
  /** Hears each line of the embedded server: it may tell of a refusal. */
  readonly onServerLine?: (line: string) => void;
  /** The embedded server has died, and is started again; the connection to it may tell first. */
  readonly onDown?: () => void;
}

const HOST = '127.0.0.1';
const OPERATOR = 'operator';

/** How long the system may hold written data back under `os`; a process's death loses none of it. */
const OS_SYNC_INTERVAL = '2m';

const openOrStop = (
  link: TE.TaskEither<Fault, Link>,
  stop: () => Promise<void>,
): TE.TaskEither<Fault, Link> =>
  pipe(
    link,
    TE.chain((opened) =>
      pipe(
        TE.fromEither(checkServerVersion(opened.serverVersion, opened.nc.getServer())),
        TE.map(() => opened),
        TE.orElseFirst(() => TE.fromTask(opened.close)),
      ),
    ),
    TE.orElseFirst(() => TE.fromTask(stop)),
  );

const embedded = ({
  config,
  dataDir,
  manifests,
  principals,
  reaper,
  log,
  onProgress,
  onServerLine,
  onDown,
}: ServerSideOptions): TE.TaskEither<Fault, ServerSide> => {
  const limitsFor = withoutTokenBy(config);
  const dir = join(dataDir, 'server');
  const configPath = join(dataDir, SERVER_CONFIG);
  makeDirs(dir);
  const store = new KeyStore(join(dataDir, 'keys'));
  // The broker's own seeds are in no file: a module that reads the data directory finds nothing to become the broker
  // with.
  const keys: BrokerKeys = { core: newUserKey(), system: newUserKey(), operator: store.get(OPERATOR) };
  const port =
    config.natsPort === 0
      ? freePort(HOST)
      : pipe(
          checkServerPort(HOST, config.natsPort),
          TE.map(() => config.natsPort),
        );
  return pipe(
    TE.Do,
    TE.bind('port', () => port),
    TE.bind('binary', () => findServer({ onProgress, reaper, pinDir: dir })),
    TE.chain(({ port: number, binary }) => {
      const url = `nats://${HOST}:${number}`;
      let link: Link | undefined;
      const access = new Access({
        keys,
        configPath,
        guests: guestAccounts(config.guest, limitsFor('guest')),
        limitsFor,
        reload: () => link?.reload() ?? TE.right(undefined),
        keepOut: (account) => link?.keepOut(account) ?? Promise.resolve(),
        letIn: (stillOut) => link?.letIn(stillOut),
        render: (accounts) =>
          serverConfig(
            {
              host: HOST,
              port: number,
              storeDir: resolve(dir, 'store'),
              isRemote: config.listen !== undefined,
              syncInterval: config.durability === 'fsync' ? 'always' : OS_SYNC_INTERVAL,
            },
            {
              core: keys.core.publicKey,
              system: keys.system.publicKey,
              accounts,
              trusted: config.trusted,
            },
          ),
      });
      access.prepare(manifests, principals);
      let running: EmbeddedServer | undefined;
      const disk = new DiskWatch({
        dir,
        say: (text) => log.line('server', text, { level: 'warn' }),
        restartServer: () => running?.restart(),
      });
      return pipe(
        startEmbedded({
          binary: binary.path,
          configPath,
          host: HOST,
          port: number,
          memoryLimitBytes: config.memoryLimitBytes ?? defaultMemoryLimitBytes(),
          reaper,
          logLine: serverLines(log, (line) => {
            disk.heard(line);
            onServerLine?.(line);
          }),
          onDown: (reason) => {
            log.line('server', `${reason}; it is started again`, { level: 'warn' });
            onDown?.();
          },
          onUp: () => log.line('server', 'nats-server runs again'),
        }),
        TE.chain((server) =>
          pipe(
            openOrStop(
              openLink({
                url,
                core: keys.core,
                system: keys.system,
                log: (text) => log.line('server', text, { level: 'warn' }),
                onLost: () => onDown?.(),
              }),
              () => server.stop(),
            ),
            TE.chainFirst((opened) =>
              pipe(
                checkDurableServer(opened, config.durability, url),
                TE.orElseFirst(() => TE.fromTask(opened.close)),
                TE.orElseFirst(() => TE.fromTask(() => server.stop())),
              ),
            ),
            TE.map((opened): ServerSide => {
              link = opened;
              running = server;
              return {
                url,
                embedded: true,
                pid: () => server.pid ?? null,
                restart: () => server.restart(),
                refusal: () => disk.refusal,
                access,
                link: opened,
                operatorSeed: store.path(OPERATOR),
                stop: async () => {
                  disk.close();
                  await opened.close();
                  await server.stop();
                },
              };
            }),
          ),
        ),
      );
    }),
  );
};

/** Where the accounts that a server elsewhere must have are written. */
export const accountsFile = (dataDir: string): string => join(dataDir, 'accounts.conf');

/**
 * A server that runs elsewhere: its operator includes the accounts that the broker writes; the broker has the server
 * read them again when modules come or go. Keys stay the same, since only the operator can repair a mismatch.
 */
const elsewhere = (
  { config, dataDir, manifests, principals, log }: ServerSideOptions,
  url: string,
): TE.TaskEither<Fault, ServerSide> => {
  const store = new KeyStore(join(dataDir, 'keys'));
  const keys: BrokerKeys = {
    core: store.get('core'),
    system: store.get('system'),
    operator: store.get(OPERATOR),
  };
  const configPath = accountsFile(dataDir);
  const limitsFor = withoutTokenBy(config);
  let link: Link | undefined;
  const access = new Access({
    keys,
    configPath,
    guests: guestAccounts(config.guest, limitsFor('guest')),
    limitsFor,
    moduleKey: (module) => store.get(`module-${module}`),
    reload: () => link?.reload() ?? TE.right(undefined),
    keepOut: (account) => link?.keepOut(account) ?? Promise.resolve(),
    letIn: (stillOut) => link?.letIn(stillOut),
    render: (accounts) =>
      accountsConfig({
        core: keys.core.publicKey,
        system: keys.system.publicKey,
        accounts,
        trusted: config.trusted,
      }),
  });
  access.prepare(manifests, principals);
  // nats-server reads the path of an include as relative to the file that has it, also one that begins with a slash.
  const remedy =
    `Its configuration must include the accounts of this broker, in place of its accounts and users: link ` +
    `${configPath} next to it, add the line \`include "accounts.conf"\`, and have it read its configuration again ` +
    '(`nats-server --signal reload`) or start it again';
  return pipe(
    openOrStop(
      openLink({
        url,
        core: keys.core,
        system: keys.system,
        log: (text) => log.line('server', text, { level: 'warn' }),
        remedy,
      }),
      () => Promise.resolve(),
    ),
    TE.chainFirst((opened) => {
      link = opened;
      // The file may name modules that it did not name when the server read it; see Access.grant for why twice.
      return pipe(
        opened.reload(),
        TE.chain(() => opened.reload()),
        TE.chain(() => checkDurableServer(opened, config.durability, url)),
        TE.orElseFirst(() => TE.fromTask(opened.close)),
      );
    }),
    TE.map((opened) => ({
      url,
      embedded: false,
      pid: () => null,
      refusal: () => undefined,
      access,
      link: opened,
      operatorSeed: store.path(OPERATOR),
      stop: opened.close,
    })),
  );
};

export const openServerSide = (options: ServerSideOptions): TE.TaskEither<Fault, ServerSide> =>
  options.config.natsUrl === undefined ? embedded(options) : elsewhere(options, options.config.natsUrl);
