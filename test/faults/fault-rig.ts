import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isRight } from 'fp-ts/lib/Either.js';
import { connect } from 'nats';
import type { Manifest } from '../../schemas/manifest.js';
import { FAIL_VARIABLE, FIRED_FILE } from '../../system/processes/fail-point.js';
import { freePort } from '../../system/processes/free-port.js';
import { startBroker, tallystick, type TestBroker } from '../support/broker.js';
import { writeShippedModule } from '../support/module-dir.js';
import { processesMentioning } from '../support/processes.js';
import { Seeded } from '../support/seeded.js';
import { writeAccounts } from '../support/server-elsewhere.js';
import { tempDir } from '../support/temp-dir.js';
import { waitFor } from '../support/wait-for.js';
import { Ledger } from './ledger.js';
import { AGENT_NAMES, Load, prepare } from './load.js';
import { balances, checkMoney, checkSettledLog, processesOf } from './system-state.js';
import { brokerStatus } from '../support/broker-status.js';

export const MODULES = ['accounts', 'agents', 'orders'] as const;
export type ProcessName = (typeof MODULES)[number] | 'broker';

/** Of what a broker said that should not have ended. */
const KEPT_LINES = 40;

/** Has a process read its plan; one that has just ended cannot. */
const signal = (pid: number): void => {
  try {
    process.kill(pid, 'SIGUSR2');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
};

export interface RigOptions {
  /** Makes the server of a broker that has none of its own, once the accounts of this data directory are written. */
  readonly elsewhere?: (dataDir: string) => Promise<RigServer>;
  readonly env?: Readonly<Record<string, string>>;
  readonly limits?: NonNullable<Manifest['limits']>;
  /** Arguments of Node, for broker and modules. */
  readonly nodeArgs?: readonly string[];
  /** Other arguments of `tallystick start`. */
  readonly args?: readonly string[];
}

/** Where the broker finds a server that is not its own, and where clients do. */
export interface RigServer extends AsyncDisposable {
  readonly brokerUrl: string;
  readonly clientUrl: string;
}

/** A broker with its modules that is started again whenever it is killed, and the plans by which they fail. */
export class FaultRig implements AsyncDisposable {
  readonly ledger = new Ledger();
  readonly #dir = tempDir();
  readonly #failDir = join(this.#dir.path, 'fail');
  readonly dataDir = join(this.#dir.path, 'data');
  readonly #args: string[] = [];
  #broker: TestBroker | undefined;
  #keeper: Promise<void> = Promise.resolve();
  #stopping = false;
  #failure: Error | undefined;
  #elsewhere: RigServer | undefined;

  private constructor(
    readonly random: Seeded,
    private readonly options: RigOptions,
  ) {}

  static async start(seed: number, durability: string, options: RigOptions = {}): Promise<FaultRig> {
    const rig = new FaultRig(new Seeded(seed), options);
    mkdirSync(rig.#failDir);
    rig.#args.push('--durability', durability, '--no-shipped', ...(options.args ?? []));
    for (const name of MODULES) {
      // A module that crashes as often as these is parked by its own limit.
      const limits = { crashes: 1_000, ...options.limits };
      const dir = await writeShippedModule(join(rig.#dir.path, name), name, limits, options.nodeArgs);
      rig.#args.push('--module', dir);
    }
    if (options.elsewhere === undefined) {
      const port = await freePort('127.0.0.1')();
      assert.ok(isRight(port));
      rig.#args.push('--nats-port', String(port.right));
    } else {
      await writeAccounts(rig.dataDir, rig.#args);
      rig.#elsewhere = await options.elsewhere(rig.dataDir);
    }
    rig.#broker = await rig.#startOnce();
    rig.#keeper = rig.#keep();
    await prepare(rig.url);
    return rig;
  }

  get url(): string {
    assert.ok(this.#broker !== undefined);
    return this.#elsewhere?.clientUrl ?? this.#broker.url;
  }

  /** Has a live process take the first of these lines now, and each next life of it the next one. */
  async plan(name: ProcessName, lines: readonly string[]): Promise<void> {
    const path = join(this.#failDir, name);
    const text = lines.join('\n');
    writeFileSync(path, text);
    const isTaken = (): boolean => readFileSync(path, 'utf8') !== text;
    while (!isTaken()) {
      const pid = await this.pidOf(name);
      // One that began meanwhile has taken the line by itself, and would throw it away for the next one.
      if (isTaken()) return;
      signal(pid);
      // One that was killed a moment ago may still be listed, and takes nothing.
      await waitFor(`${name} to take its plan`, isTaken, 1_000).catch(() => undefined);
    }
  }

  /** No process fails any more at what was planned. */
  async disarm(): Promise<void> {
    for (const name of ['broker', ...MODULES]) rmSync(join(this.#failDir, name), { force: true });
    for (const name of ['broker', ...MODULES] as const) signal(await this.pidOf(name));
  }

  /** The pid of the process that works under this name, once there is one. */
  async pidOf(name: ProcessName): Promise<number> {
    let pid: number | null | undefined;
    await this.until(`a process of ${name}`, async () => {
      const now = await brokerStatus(this.dataDir);
      const module = now.modules.find((each) => each.name === name);
      pid = name === 'broker' ? now.pid : module?.state === 'loaded' ? module.pid : undefined;
      return pid !== undefined && pid !== null;
    });
    return pid as number;
  }

  /** How often a process acted on a point so far; any process, any point, where none is named. */
  fired(name = '', point = ''): number {
    const path = join(this.#failDir, FIRED_FILE);
    if (!existsSync(path)) return 0;
    return readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => {
        const [process = '', entry = ''] = line.split(' ');
        return (
          line !== '' && (name === '' || process === name) && (point === '' || entry.startsWith(`${point}@`))
        );
      }).length;
  }

  async hasFired(name: ProcessName, point: string, times: number): Promise<void> {
    await this.until(
      `${name} to fail ${times} times in all at ${point}`,
      () => {
        const fired = this.fired(name, point);
        if (fired < times) throw new Error(`${fired} times`);
        return true;
      },
      60_000 + times * 15_000,
    );
  }

  /** Waits for a condition, for as long as the broker can be kept running. */
  async until(what: string, condition: () => Promise<boolean> | boolean, timeoutMs = 60_000): Promise<void> {
    await waitFor(what, async () => this.#failure !== undefined || condition(), timeoutMs);
    this.#throwFailure();
  }

  killServer(): void {
    this.signalServer('SIGKILL');
  }

  /** Signals the embedded server, if there is one now. */
  signalServer(name: NodeJS.Signals): void {
    const server = processesMentioning(this.dataDir).find(({ command }) => command.includes('nats-server'));
    if (server !== undefined) process.kill(server.pid, name);
  }

  /** Lines of the broker's standard error, of the life that it has now. */
  get said(): readonly string[] {
    return this.#broker?.stderr ?? [];
  }

  /** Runs a fault under load, and checks what must hold once all is quiet. */
  async underLoad(fault: () => Promise<void>): Promise<void> {
    const load = await Load.start(this.url, this.ledger, this.random);
    // Whatever fails: one that is left open would dial for ever, and its process with it.
    try {
      try {
        await fault();
      } finally {
        load.stop();
        await this.disarm();
      }
      await this.verify();
    } finally {
      await load.close();
    }
  }

  /** I1 to I5 as the log and the senders' ledger show them; no money made or lost. */
  async verify(): Promise<void> {
    const against = this.ledger.check();
    await checkSettledLog(this.dataDir, against.add);
    assert.deepEqual(against.findings().slice(0, 10), []);
    const nc = await connect({ servers: this.url });
    await checkMoney(nc, AGENT_NAMES, this.dataDir);
    await nc.close();
    this.#throwFailure();
  }

  /** I6: snapshots are the fold of the log, and what is folded anew, without snapshots and index, is the same. */
  async verifyRebuilt(): Promise<void> {
    const before = await this.#balances();
    // Whatever was killed where: what the snapshots have is what the log gives, agent by agent and byte by byte.
    const checked = await tallystick(['replay', 'rebuild', '--check'], {
      dataDir: this.dataDir,
      timeoutMs: 120_000,
    });
    assert.equal(checked.code, 0, `${checked.stdout}${checked.stderr}`);
    await this.#stop();
    for (const derived of ['snapshots', 'index']) rmSync(join(this.dataDir, derived), { recursive: true });
    this.#broker = await this.#startOnce();
    assert.deepEqual(await this.#balances(), before);
    await this.#broker.stop();
    assert.deepEqual(processesOf(this.dataDir), []);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stop();
    await this.#elsewhere?.[Symbol.asyncDispose]();
    await this.#dir[Symbol.asyncDispose]();
  }

  async #stop(): Promise<void> {
    this.#stopping = true;
    await this.#broker?.[Symbol.asyncDispose]();
    await this.#keeper;
  }

  async #balances(): Promise<readonly number[]> {
    const nc = await connect({ servers: this.url });
    try {
      return await balances(nc, AGENT_NAMES);
    } finally {
      await nc.close();
    }
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  #startOnce(): Promise<TestBroker> {
    const { env, nodeArgs } = this.options;
    return startBroker({
      dataDir: this.dataDir,
      args: this.#args,
      ...(this.#elsewhere === undefined ? {} : { natsUrl: this.#elsewhere.brokerUrl }),
      env: {
        [FAIL_VARIABLE]: this.#failDir,
        ...env,
        ...(nodeArgs === undefined ? {} : { NODE_OPTIONS: nodeArgs.join(' ') }),
      },
    });
  }

  /** Starts the broker again when it was killed, also when that was in its start. */
  async #keep(): Promise<void> {
    try {
      while (!this.#stopping) {
        const exit = await this.#broker?.exited;
        if (this.#stopping) return;
        assert.equal(
          exit?.signal,
          'SIGKILL',
          `the broker ended with ${exit?.code ?? exit?.signal}: ${this.said.slice(-KEPT_LINES).join('\n')}`,
        );
        for (;;) {
          await waitFor(
            'everything that the broker started to be gone',
            () => processesOf(this.dataDir).length === 0,
            20_000,
          );
          try {
            this.#broker = await this.#startOnce();
            break;
          } catch (error) {
            // No exit code: it was killed while it started.
            if (!(error as Error).message.includes('ended with null')) throw error;
          }
        }
      }
    } catch (error) {
      this.#failure = error as Error;
    }
  }
}
