import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { isRight } from 'fp-ts/lib/Either.js';
import { connect } from 'nats';
import { freePort } from '../../../system/processes/free-port.js';
import type { BrokerStatus } from '../../../schemas/operate.js';
import { startBroker, type TestBroker } from '../../support/broker.js';
import { writeShippedModule } from '../../support/module-dir.js';
import { tallystickPath } from '../../support/program-paths.js';
import { runProgram } from '../../support/run-program.js';
import { Seeded } from '../../support/seeded.js';
import { type TempDir, tempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';
import { Ledger } from '../ledger.js';
import { AGENT_NAMES, Load, prepare } from '../load.js';
import { balances, checkMoney, checkSettledLog, processesOf, settled } from '../system-state.js';
import { BootId } from './boot-id.js';
import { type Loss, LossyDisk, type Mode } from './lossy-disk.js';

const MODULES = ['accounts', 'agents', 'orders'] as const;
/** Of a disk of today; the first crashes of a run have so much more under way than with one that takes no time. */
const SYNC_TIME_MS = 2;

/** Most of what a start does, it does within this time. */
const START_MS = 3_000;

const pidsOf = (dataDir: string): readonly number[] =>
  processesOf(dataDir).map((line) => Number.parseInt(line, 10));

const kill = (pids: readonly number[]): void => {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
};

/** What moment it is when the power fails is drawn by lot: nothing is waited for. */
const moment = (ms: number): Promise<void> => new Promise((resume) => setTimeout(resume, ms));

/** A broker with its modules, all that it keeps on a disk that loses power, and guests elsewhere that go on sending. */
export class PowerRig implements AsyncDisposable {
  readonly random: Seeded;
  #ledger = new Ledger();
  readonly #bootId: BootId;
  #broker: TestBroker | undefined;
  #forgotten = 0;

  private constructor(
    seed: number,
    private readonly disk: LossyDisk,
    private readonly home: TempDir,
    private readonly args: readonly string[],
  ) {
    this.random = new Seeded(seed);
    this.#bootId = new BootId(home.path);
  }

  static async start(seed: number, durability: 'fsync' | 'os', strictNames = false): Promise<PowerRig> {
    const home = tempDir();
    const port = await freePort('127.0.0.1')();
    assert.ok(isRight(port));
    const args = ['--nats-port', String(port.right), '--durability', durability, '--no-shipped'];
    // What a module is made of is no data: it was there before.
    for (const name of MODULES)
      args.push('--module', await writeShippedModule(join(home.path, name), name, { crashes: 1_000 }));
    const disk = await LossyDisk.start({ syncTimeMs: SYNC_TIME_MS, strictNames });
    const rig = new PowerRig(seed, disk, home, args);
    try {
      await rig.boot();
      await rig.prepare();
      return rig;
    } catch (error) {
      await rig[Symbol.asyncDispose]();
      throw error;
    }
  }

  get dataDir(): string {
    return join(this.disk.path, 'data');
  }

  get broker(): TestBroker {
    assert.ok(this.#broker !== undefined);
    return this.#broker;
  }

  get ledger(): Ledger {
    return this.#ledger;
  }

  /** After a loss that was told: what was acknowledged before it is not asked for any more. */
  forget(): void {
    this.#forgotten += this.#ledger.sent;
    this.#ledger = new Ledger(this.#forgotten);
  }

  /** Starts the broker. */
  async boot(): Promise<void> {
    this.#broker = await startBroker({
      dataDir: this.dataDir,
      args: this.args,
      within: this.#bootId.within,
      readyWithinMs: 120_000,
    });
  }

  /** Gives the modules what the load needs. */
  prepare(): Promise<void> {
    return prepare(this.broker.url);
  }

  /** Waits until every command is answered. */
  settle(): Promise<BrokerStatus> {
    return settled(this.dataDir);
  }

  /** Ends and starts the broker in peace. */
  async restart(): Promise<void> {
    await this.broker.stop();
    await this.boot();
  }

  /** Loses power again at some moment of a start. */
  async crashInStart(mode: Mode): Promise<Loss> {
    const starting = this.boot().catch(() => undefined);
    await moment(this.random.next() * START_MS);
    const loss = await this.losePower(mode);
    await starting;
    return loss;
  }

  /** Loses power at whatever moment this is; {@link boot} starts again on what is left. */
  async losePower(mode: Mode): Promise<Loss> {
    // Listed before: to look at a process that waits for the disk would be to wait for it.
    const pids = pidsOf(this.dataDir);
    await this.disk.cut();
    kill(pids);
    const loss = await this.disk.lose(mode, this.random.int(1, 2 ** 31));
    await waitFor('every process of the machine to be gone', () => {
      const left = pidsOf(this.dataDir);
      kill(left);
      return left.length === 0;
    });
    await this.disk.mount();
    this.#bootId.renew();
    return loss;
  }

  /** Runs something while guests send; what they were told is in the ledger. */
  async underLoad<T>(work: (load: Load) => Promise<T>): Promise<T> {
    const load = await Load.start(this.broker.url, this.#ledger, this.random);
    try {
      return await work(load);
    } finally {
      await load.close();
    }
  }

  /** Waits until so many more were acknowledged, and then for a moment by lot. */
  async acknowledged(more: number): Promise<void> {
    const wanted = this.#ledger.acknowledged + more;
    await waitFor(`${more} records to be acknowledged`, () => this.#ledger.acknowledged >= wanted, 120_000);
    await moment(this.random.next() * 50);
  }

  /** I1 to I5 as the log and the ledger show them; no money made or lost. How many records that were. */
  async verify(): Promise<number> {
    const against = this.#ledger.check();
    const records = await checkSettledLog(this.dataDir, against.add);
    assert.deepEqual(against.findings().slice(0, 10), []);
    const nc = await connect({ servers: this.broker.url });
    try {
      await checkMoney(nc, AGENT_NAMES, this.dataDir);
    } finally {
      await nc.close();
    }
    return records;
  }

  /** I6: what the snapshots have is what the log gives, agent by agent and byte by byte. */
  async verifySnapshots(): Promise<void> {
    const [program = '', ...before] = this.#bootId.within;
    const check = [tallystickPath(), 'replay', 'rebuild', '--check', '--data', this.dataDir];
    const { code, stdout, stderr } = await runProgram(program, [...before, process.execPath, ...check], {
      timeoutMs: 120_000,
    });
    assert.equal(code, 0, `${stdout}${stderr}`);
  }

  /** I6: what is folded anew, without snapshots and index, is the same. */
  async verifyRebuilt(): Promise<void> {
    const before = await this.#balances();
    await this.broker.stop();
    for (const derived of ['snapshots', 'index'])
      rmSync(join(this.dataDir, derived), { recursive: true, force: true });
    await this.boot();
    assert.deepEqual(await this.#balances(), before);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#broker?.[Symbol.asyncDispose]();
    await this.disk[Symbol.asyncDispose]();
    await this.home[Symbol.asyncDispose]();
  }

  async #balances(): Promise<readonly number[]> {
    const nc = await connect({ servers: this.broker.url });
    try {
      return await balances(nc, AGENT_NAMES);
    } finally {
      await nc.close();
    }
  }
}
