import type { StreamInfo } from '@nats-io/jetstream';
import type { NatsConnection } from 'nats';
import { type AccountPlan, guestPlan, modulePlan } from '../../../broker/access/accounts.js';
import { authenticatorOf, newUserKey } from '../../../link/nkey.js';
import { accountsConfig } from '../../../broker/access/server-config.js';
import { linkedRequest } from '../../../link/linked-request.js';
import { readLog } from '../../../journal/read/reader.js';
import { HEADER } from '../../../schemas/headers.js';
import { type Durability, LOG } from '../../../schemas/log.js';
import type { StoredMessage } from '../../../schemas/record.js';
import { success } from '../../support/either.js';
import { createLog, dial } from '../../support/log.js';
import { LogChecks } from '../../support/log-checks.js';
import { ModuleFates } from '../../support/module-fates.js';
import { startServer, type TestServer } from '../../support/server.js';
import { startTcpProxy, type TcpProxy } from '../../support/tcp-proxy.js';
import { tempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';
import { Bank } from './bank.js';
import { BrokerSide, type BrokerSideOptions } from './broker-side.js';
import { ACCOUNTS, CHANGING, FOREIGN, ModuleDirs, PLANNER } from './module-dirs.js';

const ROOM = 4_000_000_000;
const END_LIMIT_MS = 20_000;

/** These write commands into the log themselves, as modules do: also for a module that nobody has. Calls go to the gateway. */
const SENDERS: AccountPlan = {
  name: 'guest',
  publicKey: null,
  limits: guestPlan().limits,
  imports: [
    { kind: 'service', subject: 'cmd.*.*.*.guest', as: 'cmd.*.*.*' },
    { kind: 'service', subject: 'ask.*.*.*.guest', as: 'call.*.*.*', share: true },
  ],
};

/**
 * A server, its log, and a module in a process of its own under the broker's supervisor, with a network between them that
 * can be cut. What the whole log must show is checked as it grows, from run to run.
 */
export class World implements AsyncDisposable {
  readonly checks = new LogChecks();
  readonly bank = new Bank();
  /** Of the module that comes and goes. */
  readonly fates = new ModuleFates<string>();
  #position = 1;
  #isTight = false;
  #runs = 0;

  private constructor(
    readonly durability: Durability,
    readonly server: TestServer,
    readonly links: { readonly producers: TcpProxy; readonly module: TcpProxy },
    /** The broker's connection, which is not cut. */
    readonly control: NatsConnection,
    /** The connection of somebody without a credential, who sends commands. */
    readonly guest: NatsConnection,
    readonly dirs: ModuleDirs,
    private readonly brokerOptions: BrokerSideOptions,
    private readonly dir: AsyncDisposable,
    private side: BrokerSide,
  ) {}

  static async open(durability: Durability, say: (line: string) => void = () => undefined): Promise<World> {
    const core = newUserKey();
    const dir = tempDir();
    const dirs = await ModuleDirs.write(dir.path);
    const keys = new Map(dirs.manifests.map(({ name }) => [name, newUserKey()]));
    const authenticator = authenticatorOf(core.seed);
    const server = await startServer({
      name: `model-${durability}`,
      syncInterval: durability === 'fsync' ? 'always' : '2m',
      // So that bursts meet it: more that wait are answered 429, or dropped when nobody asks for an answer.
      jetstream: 'max_buffered_msgs: 600',
      config: accountsConfig({
        core: core.publicKey,
        system: newUserKey().publicKey,
        accounts: [
          SENDERS,
          ...dirs.manifests.map((each) => modulePlan(each, keys.get(each.name)?.publicKey as string)),
        ],
      }),
    });
    const links = { producers: await startTcpProxy(server.port), module: await startTcpProxy(server.port) };
    const control = await dial(server, { authenticator });
    const guest = await dial(server);
    await createLog(control, ROOM);
    const options: BrokerSideOptions = {
      dir: dir.path,
      server,
      authenticator,
      modulesUrl: `127.0.0.1:${links.module.port}`,
      durability,
      given: [ACCOUNTS, FOREIGN, PLANNER].map((each) => dirs.of(each)),
      keys,
      say,
    };
    const side = await BrokerSide.open(options);
    const world = new World(durability, server, links, control, guest, dirs, options, dir, side);
    success(await side.supervisor.load(dirs.of(CHANGING))());
    world.fates.done('load', CHANGING);
    return world;
  }

  /** The broker's side as it is now. */
  get broker(): BrokerSide {
    return this.side;
  }

  /** Another broker on the same directory and log. `in peace`: the one before lets modules finish what they handle. */
  async restartBroker(isInPeace: boolean): Promise<void> {
    await this.side.close(isInPeace);
    this.side = await BrokerSide.open(this.brokerOptions);
  }

  /** Kills the foreign module once it has answered all, and waits until it is there again: what it left out is stored. */
  async killForeign(): Promise<void> {
    await waitFor('the foreign module to have answered all', () => this.#isAnswered(), 30_000);
    const foreign = this.side.module(FOREIGN);
    const { pid } = foreign;
    if (pid !== null) process.kill(pid, 'SIGKILL');
    const isBack = (): boolean => foreign.state === 'loaded' && foreign.pid !== pid;
    await waitFor('the foreign module to be back', isBack, 30_000);
  }

  async #isAnswered(): Promise<boolean> {
    const open = new Set<number>();
    for await (const message of readLog(this.control, { filters: [`*.${FOREIGN}.>`] })) {
      if (message.subject.startsWith('cmd.')) open.add(message.seq);
      else open.delete(Number(message.header(HEADER.cause)));
    }
    return open.size === 0;
  }

  nextRun(): number {
    this.#runs += 1;
    return this.#runs;
  }

  /** A connection that {@link links} can cut. */
  dial(): Promise<NatsConnection> {
    const { port } = this.links.producers;
    // A server that was stopped a moment ago may not answer the first attempt.
    return dial(
      { url: `127.0.0.1:${port}` },
      { authenticator: this.brokerOptions.authenticator, waitOnFirstConnect: true },
    );
  }

  /** How many bytes the log may grow; undefined: as many as it likes. */
  async setRoom(bytes?: number): Promise<void> {
    if (bytes === undefined && !this.#isTight) return;
    this.#isTight = bytes !== undefined;
    await waitFor(
      'the limit of the log to be set',
      async () => {
        const { config, state } = await this.#api<StreamInfo>(`STREAM.INFO.${LOG}`);
        const max_bytes = bytes === undefined ? ROOM : state.bytes + bytes;
        await this.#api(`STREAM.UPDATE.${LOG}`, { ...config, max_bytes });
        return true;
      },
      30_000,
    );
  }

  async #api<T>(operation: string, body?: object): Promise<T> {
    const payload = body === undefined ? '' : JSON.stringify(body);
    const reply = await linkedRequest(this.control, `$JS.API.${operation}`, payload, { timeout: 5_000 });
    const answer = reply.json<T & { error?: object }>();
    if (answer.error !== undefined) throw new Error(JSON.stringify(answer.error));
    return answer;
  }

  /** What has come into the log since the last call, when every command in it is answered and no copy is missing. */
  async quiet(): Promise<StoredMessage[]> {
    const records: StoredMessage[] = [];
    const isQuiet = async (): Promise<boolean> => {
      for await (const message of readLog(this.control, { fromSeq: this.#position })) {
        this.#position = message.seq + 1;
        this.checks.add(message);
        this.bank.add(message);
        records.push(message);
      }
      const { unanswered, findings } = this.checks.report();
      if (unanswered.length + findings.length === 0) return true;
      throw new Error(`unanswered: ${unanswered.join(' ')}; ${findings.slice(0, 10).join('; ')}`);
    };
    await waitFor('every command to be answered and every copy to be there', isQuiet, 30_000);
    return records;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Behind a run that does not end this may not either, and would hide what that run was doing.
    const limit = new Promise<void>((resume) => setTimeout(resume, END_LIMIT_MS).unref());
    await Promise.race([this.#end(), limit]);
  }

  async #end(): Promise<void> {
    await this.side.close(true);
    await this.control.close();
    await this.guest.close();
    for (const link of Object.values(this.links)) await link[Symbol.asyncDispose]();
    await this.server[Symbol.asyncDispose]();
    await this.dir[Symbol.asyncDispose]();
  }
}

/** Throws what was found. */
export const expectNone = (findings: readonly string[]): void => {
  if (findings.length > 0) throw new Error(findings.slice(0, 20).join('\n'));
};
