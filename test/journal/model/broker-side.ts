import { BrokerLines } from '../../../broker/lines/broker-lines.js';
import { join } from 'node:path';
import { jetstreamManager } from '@nats-io/jetstream';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { Authenticator, NatsConnection } from 'nats';
import type { UserKey } from '../../../link/nkey.js';
import { Stacks } from '../../../broker/dead/stacks.js';
import { Door } from '../../../broker/gateway/door.js';
import { Gateway } from '../../../broker/gateway/gateway.js';
import { KeyedCommands } from '../../../broker/gateway/keyed-commands.js';
import { OutsideProducers } from '../../../broker/gateway/outside-producers.js';
import { UnownedCommands } from '../../../broker/gateway/unowned.js';
import { WakeNews } from '../../../broker/waits/wake-news.js';
import { LogIndex } from '../../../broker/index/log-index.js';
import { openBrokerEpoch } from '../../../journal/epochs/epoch.js';
import { brokerEpochs } from '../../../journal/epochs/epoch-source.js';
import { GROUPING } from '../../../journal/append/grouping.js';
import { Producer } from '../../../journal/producer/producer.js';
import { serveControl } from '../../../broker/operate/serve-control.js';
import { type Reaper, startReaper } from '../../../system/processes/reaper.js';
import { ClosedConnections } from '../../../broker/serving/closed-connections.js';
import { ACCOUNT_LIMITS } from '../../../broker/access/limits.js';
import { PrincipalUsages } from '../../../broker/serving/principal-usage.js';
import { Turnstile } from '../../../broker/serving/turnstile.js';
import { EpochPace } from '../../../broker/supervisor/epoch-pace.js';
import { readModule } from '../../../broker/supervisor/manifest-file.js';
import { ModuleMemory } from '../../../broker/supervisor/module-memory.js';
import { startPlan } from '../../../broker/supervisor/start-plan.js';
import { ModuleFloods } from '../../../broker/supervisor/module-floods.js';
import { SupervisedModules } from '../../../broker/supervisor/supervised-modules.js';
import { ModuleCages } from '../../../broker/supervisor/module-cages.js';
import { Supervisor } from '../../../broker/supervisor/supervisor.js';
import type { SupervisedModule } from '../../../broker/supervisor/supervised-module.js';
import { dropSnapshotsAhead } from '../../../broker/supervisor/drop-snapshots-ahead.js';
import { surroundings } from '../../../broker/build-surroundings.js';
import type { Durability } from '../../../schemas/log.js';
import { success } from '../../support/either.js';
import { dial } from '../../support/log.js';
import { peopleOver } from '../../support/people.js';
import { waitFor } from '../../support/wait-for.js';
import type { Fault } from '../../../schemas/errors.js';
import { Sealing } from '../../../broker/sealing/sealing.js';
import { BrokerReader } from '../../../broker/reader/broker-reader.js';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const LOG_ID = 'model';
const GATEWAY = 'gateway';

export interface BrokerSideOptions {
  /** The data directory, which one side leaves to the next. */
  readonly dir: string;
  readonly server: { readonly url: string };
  readonly authenticator: Authenticator;
  /** Where modules find the server: behind a link that can be cut. */
  readonly modulesUrl: string;
  readonly durability: Durability;
  /** Directories that the command line names. */
  readonly given: readonly string[];
  readonly keys: ReadonlyMap<string, UserKey>;
  readonly say: (line: string) => void;
}

/**
 * What a broker has between the log and its modules, assembled of the broker's own parts: index, gateway, supervisor and
 * what it remembers. It can be closed, and opened again on the same directory and log.
 */
export class BrokerSide {
  private constructor(
    /** The broker's epoch. */
    readonly under: number,
    readonly modules: SupervisedModules,
    readonly supervisor: Supervisor,
    private readonly nc: NatsConnection,
    private readonly reader: BrokerReader,
    private readonly index: LogIndex,
    private readonly unowned: UnownedCommands,
    private readonly gateway: Gateway,
    private readonly producer: Producer,
    private readonly reaper: Reaper,
  ) {}

  static async open(options: BrokerSideOptions): Promise<BrokerSide> {
    const { dir, durability, modulesUrl, keys, say } = options;
    const printed = {
      line: (source: string, text: string) => say(`${Date.now() % 1e6} [${source}] ${text}`),
    };
    const log = new BrokerLines(printed, dir);
    const nc = await dial(options.server, { authenticator: options.authenticator, waitOnFirstConnect: true });
    const jsm = await waitFor('JetStream to answer', () => jetstreamManager(nc), 30_000);
    const under = await waitFor('an epoch', async () => success(await openBrokerEpoch(nc)()), 30_000);
    const producer = success(
      await Producer.open({
        nc,
        name: GATEWAY,
        epochs: brokerEpochs({ nc, producer: GATEWAY, under, prefixes: ['cmd.', 'res.'] }),
        grouping: GROUPING[durability],
        onReplaced: () => log.line(GATEWAY, 'another broker has taken over'),
      })(),
    );
    const memory = success(ModuleMemory.open(dir));
    const reaper = startReaper();
    // Nothing here damages the files of the log.
    const whole = { checked: () => Promise.resolve(undefined), isDamagedFrom: () => false };
    const witness = { checked: () => Promise.resolve(undefined) };
    const server = {
      url: modulesUrl,
      access: {
        grant: ({ name }: { readonly name: string }) => TE.right(keys.get(name) as UserKey),
        revoke: () => TE.right(undefined),
        cut: () => TE.right(undefined),
      },
      link: {
        // The server is stopped and killed here: silence says nothing about the module.
        linkedSince: () => 0,
        answers: () => Promise.reject(new Error('the server may be stopped')),
      },
    };
    const open = { nc, jsm, under, logId: LOG_ID, durability, whole, witness };
    const hostEntry = join(ROOT, 'modules', 'host', 'host-main.js');
    const onLost = ({ message }: Fault): void => say(`the log: ${message}`);
    const reader = new BrokerReader({ nc, lastSeq: under, say, onLost });
    const index = new LogIndex({
      nc,
      reader,
      dir: join(dir, 'index'),
      logId: LOG_ID,
      lastSeq: under,
      say,
      onLost,
    });
    const modules = new SupervisedModules();
    const unowned = new UnownedCommands({
      producer,
      index,
      directory: modules,
      log: say,
    });
    const entrance = {
      people: peopleOver(nc),
      turnstile: new Turnstile(),
      closed: new ClosedConnections(say),
      usages: new PrincipalUsages(() => ACCOUNT_LIMITS),
    };
    const outside = new OutsideProducers({ nc, durability });
    const keyed = new KeyedCommands({ nc, producer, index, usages: entrance.usages });
    const sealing = success(Sealing.open(dir, (_, text) => say(text)));
    const door = new Door({ nc, producer, keyed, directory: modules, sealing, entrance, outside, log: say });
    const gateway = new Gateway({
      nc,
      producer,
      keyed,
      directory: modules,
      sealing,
      entrance,
      reader,
      index,
      door,
      seesAll: () => false,
    });
    const cages = new ModuleCages({ cage: undefined, dataDir: dir, natsUrl: server.url });
    const around = surroundings(
      { server, open, dataDir: dir, hostEntry, cages, sealing, reaper, log },
      { index, unowned, handlerCalls: gateway.handlerCalls, wakeNews: new WakeNews(index) },
      dropSnapshotsAhead({ logId: LOG_ID, lastSeq: under }, say),
    );
    // Modules are killed and cut off far more often than any would be.
    const supervisor = new Supervisor(modules, { ...around, newPace: () => new EpochPace(0) }, memory);
    const given = options.given.map((each) => success(readModule(each)));
    const plan = { shipped: [], given, isShipped: () => false, remembered: memory.all, read: readModule };
    success(supervisor.plan(startPlan(plan)));
    reader.start();
    await index.start();
    serveControl(nc, modules, { stacks: new Stacks(), jsm }, new ModuleFloods(modules));
    gateway.start();
    await supervisor.loadAll();
    return new BrokerSide(under, modules, supervisor, nc, reader, index, unowned, gateway, producer, reaper);
  }

  module(name: string): SupervisedModule {
    const module = this.modules.find(name);
    if (module === undefined) throw new Error(`there is no module ${name}`);
    return module;
  }

  /** `in peace`: modules finish what they handle. Otherwise they are killed, and what is on its way is lost. */
  async close(isInPeace: boolean): Promise<void> {
    if (isInPeace) await this.supervisor.unloadAll();
    else {
      this.supervisor.abandonAll();
      await this.nc.close();
      await Promise.all([...this.modules.all()].filter((each) => each.isActive).map((each) => each.unload()));
    }
    this.gateway.close();
    this.unowned.close();
    await this.index.close();
    await this.reader.close();
    await this.producer.close();
    await this.nc.close();
    this.reaper.close();
  }
}
