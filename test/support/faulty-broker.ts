import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { manifest } from '../fixtures/modules/faulty/manifest.js';
import { startBroker, type TestBroker } from './broker.js';
import { followLog, type LogFollower } from './log-follower.js';
import { writeModule } from './module-dir.js';
import { type TempDir, tempDir } from './temp-dir.js';

/** A broker with the module `faulty`, which may be started again on its data. */
export class FaultyBroker implements AsyncDisposable {
  readonly dir: TempDir = tempDir();
  #broker: TestBroker | undefined;
  #log: LogFollower | undefined;

  /** Writes the module. */
  static async prepare(): Promise<FaultyBroker> {
    const faulty = new FaultyBroker();
    await mkdir(faulty.notes);
    const cage = { write: [faulty.notes] };
    await writeModule(join(faulty.dir.path, 'faulty'), 'faulty', { ...manifest, cage });
    return faulty;
  }

  /** A directory that the module may write to. */
  get notes(): string {
    return join(this.dir.path, 'notes');
  }

  get broker(): TestBroker {
    if (this.#broker === undefined) throw new Error('the broker does not run');
    return this.#broker;
  }

  get log(): LogFollower {
    if (this.#log === undefined) throw new Error('the broker does not run');
    return this.#log;
  }

  async start(): Promise<void> {
    const args = ['--no-shipped', '--durability', 'os', '--module', join(this.dir.path, 'faulty')];
    this.#broker = await startBroker({ dataDir: join(this.dir.path, 'data'), args });
    this.#log = followLog(this.#broker.dataDir);
  }

  async stop(): Promise<void> {
    await this.#log?.[Symbol.asyncDispose]();
    await this.#broker?.[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.dir[Symbol.asyncDispose]();
  }
}
