import { Stacks } from '../../../broker/dead/stacks.js';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { jetstreamManager, type StreamInfo } from '@nats-io/jetstream';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type Authenticator, type NatsConnection, nkeyAuthenticator } from 'nats';
import { type AccountPlan, guestPlan, modulePlan } from '../../../broker/access/accounts.js';
import { newKey } from '../../../broker/access/keys.js';
import { accountsConfig } from '../../../broker/access/server-config.js';
import { LogIndex } from '../../../broker/index/log-index.js';
import { openBrokerEpoch } from '../../../broker/journal/epoch.js';
import { linkedRequest } from '../../../broker/journal/linked-request.js';
import { readLog } from '../../../broker/journal/reader.js';
import { serveControl } from '../../../broker/operate/control.js';
import { type Reaper, startReaper } from '../../../broker/process/reaper.js';
import { EpochPace } from '../../../broker/supervisor/epoch-pace.js';
import { readModule } from '../../../broker/supervisor/manifest-file.js';
import { ModuleMemory } from '../../../broker/supervisor/module-memory.js';
import { endFold, openModuleEpoch, startModule } from '../../../broker/supervisor/module-start.js';
import type { ModuleSurroundings } from '../../../broker/supervisor/module-surroundings.js';
import { startPlan } from '../../../broker/supervisor/start-plan.js';
import { Supervisor } from '../../../broker/supervisor/supervisor.js';
import { manifest } from '../../../modules/accounts/manifest.js';
import { HEADER } from '../../../schemas/headers.js';
import { type Durability, LOG } from '../../../schemas/log.js';
import type { Manifest } from '../../../schemas/manifest.js';
import type { StoredMessage } from '../../../schemas/record.js';
import { success } from '../../support/either.js';
import { createLog, dial } from '../../support/log.js';
import { writeManifest } from '../../support/module-dir.js';
import { PROJECT_ROOT } from '../../support/project-root.js';
import { LogChecks } from '../../support/log-checks.js';
import { startServer, type TestServer } from '../../support/server.js';
import { startTcpProxy, type TcpProxy } from '../../support/tcp-proxy.js';
import { tempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';
import { Bank } from './bank.js';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const ROOM = 4_000_000_000;
const MODULE = 'accounts';
/** A module that is a program of its own, and leaves the copies of what it decides to be stored by others. */
const FOREIGN = 'raw';
const END_LIMIT_MS = 20_000;
/** A test kills more than a crash limit is made for. */
const CRASHES = 1_000;

const writeCode = (dir: string, edition: number): void => {
  const url = pathToFileURL(join(ROOT, 'modules', MODULE, 'index.js')).href;
  // Whole at every moment: a process may be starting.
  writeFileSync(join(dir, 'index.js.new'), `// edition ${edition}\nexport { default } from '${url}';\n`);
  renameSync(join(dir, 'index.js.new'), join(dir, 'index.js'));
};

/** There is no broker to take what people send: these write commands into the log themselves, as modules do. */
const SENDERS: AccountPlan = {
  name: 'guest',
  publicKey: null,
  limits: guestPlan().limits,
  grants: [{ kind: 'service', subject: 'cmd.*.*.*.guest', as: 'cmd.*.*.*' }],
};

const foreignManifest = async (): Promise<Manifest> => {
  const fixture = join(PROJECT_ROOT, 'test', 'fixtures', 'modules', FOREIGN);
  const manifest = JSON.parse(await readFile(join(fixture, 'manifest.json'), 'utf8')) as Manifest;
  const limits = { ...manifest.limits, crashes: CRASHES, hangMs: 5_000 };
  return { ...manifest, limits, start: { command: [process.execPath, join(fixture, 'main.js')] } };
};

/**
 * A server, its log, and a module in a process of its own under the broker's supervisor, with a network between them that
 * can be cut. What the whole log must show is checked as it grows, from run to run.
 */
export class World implements AsyncDisposable {
  readonly checks = new LogChecks();
  readonly bank = new Bank();
  #position = 1;
  #isTight = false;
  #runs = 0;
  #codes = 0;

  private constructor(
    readonly durability: Durability,
    readonly server: TestServer,
    readonly links: { readonly producers: TcpProxy; readonly module: TcpProxy },
    /** The broker's connection, which is not cut. */
    readonly control: NatsConnection,
    /** The connection of somebody without a credential, who sends commands. */
    readonly guest: NatsConnection,
    private readonly authenticator: Authenticator,
    readonly under: number,
    private readonly supervisor: Supervisor,
    private readonly index: LogIndex,
    private readonly reaper: Reaper,
    private readonly dir: AsyncDisposable,
  ) {}

  static async open(durability: Durability, say: (line: string) => void = () => undefined): Promise<World> {
    const [core, own, foreign] = [newKey(), newKey(), newKey()];
    const raw = await foreignManifest();
    const authenticator = nkeyAuthenticator(new TextEncoder().encode(core.seed));
    const server = await startServer({
      name: `model-${durability}`,
      syncInterval: durability === 'fsync' ? 'always' : '2m',
      // So that bursts meet it: more that wait are answered 429, or dropped when nobody asks for an answer.
      jetstream: 'max_buffered_msgs: 600',
      config: accountsConfig({
        core: core.publicKey,
        system: newKey().publicKey,
        accounts: [SENDERS, modulePlan(manifest, own.publicKey), modulePlan(raw, foreign.publicKey)],
      }),
    });
    const links = { producers: await startTcpProxy(server.port), module: await startTcpProxy(server.port) };
    const control = await dial(server, { authenticator });
    const guest = await dial(server);
    await createLog(control, ROOM);
    const jsm = await jetstreamManager(control);
    const under = success(await openBrokerEpoch(control)());
    const dir = tempDir();
    const source = join(dir.path, MODULE);
    await mkdir(source);
    const limits = { crashes: CRASHES, hangMs: 5_000 };
    await writeFile(join(source, 'package.json'), '{"type":"module"}');
    writeCode(source, 0);
    const start = { entry: './index.js' };
    await writeFile(join(source, 'manifest.json'), JSON.stringify({ ...manifest, limits, start }));
    // Nothing here damages the files of the log.
    const whole = { checked: () => Promise.resolve(undefined), isDamagedFrom: () => false };
    const context = { nc: control, jsm, under, logId: 'model', durability, whole };
    const index = new LogIndex({
      nc: control,
      dir: join(dir.path, 'index'),
      logId: 'model',
      lastSeq: under,
      onCommand: () => undefined,
      onResult: () => undefined,
      say,
      onLost: ({ message }) => say(`the index: ${message}`),
    });
    await index.start();
    const reaper = startReaper();
    const surroundings: ModuleSurroundings = {
      hostEntry: join(ROOT, 'modules', 'host', 'main.js'),
      natsUrl: `127.0.0.1:${links.module.port}`,
      snapshotsDir: (module) => join(dir.path, 'snapshots', module),
      reaper,
      grant: ({ name }) => TE.right(name === FOREIGN ? foreign : own),
      // It is killed and cut off far more often than any module would be.
      newPace: () => new EpochPace(0),
      revoke: () => TE.right(undefined),
      start: (module, request) => startModule(context, index, module, request),
      started: (module) => endFold(context, module),
      tryOut: () => TE.right(undefined),
      repair: (module) => openModuleEpoch(context, index, module),
      settle: () => TE.right(undefined),
      waiting: () => 0,
      forgotten: () => Promise.resolve(),
      recordedCalls: () => TE.right(0),
      // The server is stopped and killed here: silence says nothing about the module.
      linkedSince: () => 0,
      serverAnswers: () => Promise.reject(new Error('the server may be stopped')),
      log: (module, text) => say(`${Date.now() % 1e6} ${module}: ${text}`),
      output: (module, line) => say(`${Date.now() % 1e6} ${module}: ${line}`),
    };
    const supervisor = new Supervisor(surroundings, success(ModuleMemory.open(dir.path)));
    const foreignDir = await writeManifest(join(dir.path, FOREIGN), raw);
    const given = [success(readModule(source)), success(readModule(foreignDir))];
    const plan = { shipped: [], given, isShipped: () => false, remembered: new Map(), read: readModule };
    success(supervisor.plan(startPlan(plan)));
    serveControl(control, supervisor, new Stacks());
    const world = new World(
      durability,
      server,
      links,
      control,
      guest,
      authenticator,
      under,
      supervisor,
      index,
      reaper,
      dir,
    );
    success(await world.module.load()());
    success(await world.foreign.load()());
    return world;
  }

  get foreign() {
    const module = this.supervisor.find(FOREIGN);
    if (module === undefined) throw new Error('the foreign module is gone');
    return module;
  }

  /** Kills the foreign module once it has answered all, and waits until it is there again: what it left out is stored. */
  async killForeign(): Promise<void> {
    await waitFor('the foreign module to have answered all', () => this.#isAnswered(), 30_000);
    const { pid } = this.foreign;
    if (pid !== null) process.kill(pid, 'SIGKILL');
    const isBack = (): boolean => this.foreign.state === 'loaded' && this.foreign.pid !== pid;
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

  get module() {
    const module = this.supervisor.find(MODULE);
    if (module === undefined) throw new Error('the module is gone');
    return module;
  }

  /** The module's next process has other code, which does the same. */
  changeCode(): void {
    this.#codes += 1;
    writeCode(this.module.source.dir, this.#codes);
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
      { authenticator: this.authenticator, waitOnFirstConnect: true },
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
    await this.module.unload();
    await this.index.close();
    await this.foreign.unload();
    this.reaper.close();
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
