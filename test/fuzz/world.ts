import { mkdirSync, mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect, type NatsConnection } from 'nats';
import type { BrokerAddress } from '../../schemas/operate.js';
import { readLoot, writeMallory } from '../broker/access/loot.js';
import { startBroker, type TestBroker } from '../support/broker.js';
import { manifest as faulty } from '../fixtures/modules/faulty/manifest.js';
import { connectOperator } from '../support/log-checks.js';
import { writeModule } from '../support/module-dir.js';
import { type TempDir, tempDir } from '../support/temp-dir.js';
import { waitFor } from '../support/wait-for.js';
import { SHIPPED } from './generate/address.js';
import type { Principal } from './input.js';
import { Wire } from './wire/wire.js';

/** Room for what a million inputs leave in the log, so that a full log is no part of this. */
const MAX_LOG = '16GiB';
/** What the server aims to stay below; without it, its collector lets the memory double before it cleans up. */
export const SERVER_MEMORY_MIB = 256;

/**
 * A real broker with the modules that ship, and the connections that inputs go over. Where a module is to say odd things, one
 * is loaded that gives its credential away.
 */
export class World implements AsyncDisposable {
  readonly #wires = new Map<Principal, Promise<Wire>>();
  #scratch = 0;
  #ended = false;

  private constructor(
    readonly dir: TempDir,
    readonly broker: TestBroker,
    /** Of an ordinary caller, who sends nothing odd. */
    readonly guest: NatsConnection,
    readonly operator: NatsConnection,
  ) {
    void broker.exited.then(() => {
      this.#ended = true;
    });
  }

  /** Whether the broker has ended, which nothing that is sent may bring about. */
  get ended(): boolean {
    return this.#ended;
  }

  static async start(withMallory: boolean): Promise<World> {
    const dir = tempDir();
    try {
      const mallory = join(dir.path, 'mallory');
      mkdirSync(mallory);
      mkdirSync(join(dir.path, 'scratch'));
      writeMallory(mallory);
      await writeModule(join(dir.path, 'faulty'), 'faulty', faulty);
      const broker = await World.startBroker(dir, withMallory);
      const guest = await connect({ servers: broker.url, maxReconnectAttempts: -1 });
      return new World(dir, broker, guest, await connectOperator(broker.dataDir));
    } catch (error) {
      await dir[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Starts the broker on the directory of a world; the first time or after that world has ended. */
  static startBroker(dir: TempDir, withMallory: boolean): Promise<TestBroker> {
    const names = withMallory ? ['faulty', 'mallory'] : ['faulty'];
    const modules = names.flatMap((name) => ['--module', join(dir.path, name)]);
    return startBroker({
      dataDir: join(dir.path, 'data'),
      shipped: SHIPPED,
      args: [
        ...['--durability', 'os', '--max-bytes', MAX_LOG],
        ...['--memory-limit', `${SERVER_MEMORY_MIB}MiB`],
        ...modules,
      ],
    });
  }

  get url(): string {
    return this.broker.url;
  }

  get dataDir(): string {
    return this.broker.dataDir;
  }

  /** A connection of this principal that takes any bytes; another one where the server has ended the last. */
  async wire(principal: Principal): Promise<Wire> {
    const before = this.#wires.get(principal);
    const wire = await before?.catch(() => undefined);
    if (wire !== undefined && !wire.closed) return wire;
    // Of all that wait for it, the first opens the next one.
    if (this.#wires.get(principal) !== before) return this.wire(principal);
    const opened = waitFor('a connection', () => Wire.open(this.url, this.#seed(principal)), 10_000);
    this.#wires.set(principal, opened);
    return opened;
  }

  /** The connections that there are now. */
  async wires(): Promise<readonly Wire[]> {
    const all = await Promise.allSettled(this.#wires.values());
    return all.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  }

  /** A new empty directory. */
  scratchDir(): string {
    return mkdtempSync(join(this.dir.path, 'scratch', `${this.#scratch++}-`));
  }

  async disconnect(): Promise<void> {
    for (const wire of await this.wires()) wire.close();
    await Promise.all([this.guest.close(), this.operator.close()]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.disconnect();
    await this.broker[Symbol.asyncDispose]();
    await this.dir[Symbol.asyncDispose]();
  }

  /** A module's seed is a new one for each of its processes. */
  #seed(principal: Principal): string | undefined {
    if (principal === 'guest') return undefined;
    if (principal === 'module') return readLoot(join(this.dir.path, 'mallory')).seed;
    const address = JSON.parse(readFileSync(join(this.dataDir, 'broker.json'), 'utf8')) as BrokerAddress;
    return readFileSync(address.operatorSeed, 'utf8').trim();
  }
}
