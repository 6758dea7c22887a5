import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { accessSync, constants, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { buildOnce } from '../../../perf/tools/go-build.js';
import { type Exit, follow } from '../../support/children.js';
import { PROJECT_ROOT } from '../../support/project-root.js';
import { type TempDir, tempDir } from '../../support/temp-dir.js';

/**
 * What survives of the unsynced: none of it; a prefix, in the order in which it was written; single pages of 4 KiB, each
 * on its own, with a prefix of the changes of names and sizes. What a seed draws of it, it draws again.
 */
export const MODES = ['nothing', 'pages', 'prefix'] as const;
export type Mode = (typeof MODES)[number];

/** How much was not synced when the power was cut, and how much of it survived. */
export interface Loss {
  readonly unsyncedWrites: number;
  readonly unsyncedChanges: number;
  readonly keptWrites: number;
  readonly keptChanges: number;
}

export interface DiskOptions {
  /** A name is on the disk after a sync of its directory only, as POSIX has it. Otherwise as ext4 has it, see disk.go. */
  readonly strictNames?: boolean;
  /** How long a sync takes at most: the longer, the more is under way when the power is cut. */
  readonly syncTimeMs?: number;
}

const MODULE = join(PROJECT_ROOT, 'test', 'faults', 'power', 'disk');

const build = async (): Promise<string> => {
  const folder = await buildOnce({
    name: 'lossy-disk',
    module: MODULE,
    files: readdirSync(MODULE).sort(),
    packages: ['.'],
    onBuild: (into) => process.stderr.write(`building lossy-disk, once (kept in ${into})\n`),
  });
  return join(folder, 'lossy-disk');
};

/** A file system of its own process, whose power can be cut. What processes have open in it fails from then on. */
export class LossyDisk implements AsyncDisposable {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #exited: Promise<Exit>;
  readonly #answers: AsyncIterator<string>;
  readonly #lines: Interface;
  #stderr = '';

  private constructor(
    program: string,
    { strictNames = false, syncTimeMs = 0 }: DiskOptions,
    private readonly dir: TempDir,
  ) {
    mkdirSync(this.path);
    const args = [`-strict-names=${strictNames}`, `-sync-time=${syncTimeMs}ms`, this.path];
    this.#child = spawn(program, args);
    this.#exited = follow(this.#child);
    this.#child.stderr.on('data', (chunk: Buffer) => {
      this.#stderr += chunk.toString();
    });
    this.#child.stdin.on('error', () => undefined);
    this.#lines = createInterface({ input: this.#child.stdout });
    this.#answers = this.#lines[Symbol.asyncIterator]();
  }

  /** Mounted and empty. */
  static async start(options: DiskOptions = {}): Promise<LossyDisk> {
    const disk = new LossyDisk(await build(), options, tempDir());
    try {
      await disk.mount();
      return disk;
    } catch (error) {
      await disk[Symbol.asyncDispose]();
      throw error;
    }
  }

  get path(): string {
    return join(this.dir.path, 'disk');
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  /** After a loss of power: what is left can be used again. */
  async mount(): Promise<void> {
    await this.#obey('mount');
  }

  /**
   * From here on no operation is answered, and nothing more reaches the disk. Whoever touches it waits, this process too,
   * until {@link lose}.
   */
  async cut(): Promise<void> {
    await this.#obey('cut');
  }

  /** Cuts the power, if it is not cut. What waits for the disk fails; all of its processes must be gone before it is mounted. */
  async lose(mode: Mode, seed: number): Promise<Loss> {
    return (await this.#obey(`lose ${mode} ${seed}`)) as Loss;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.stdin.end();
    await this.#exited;
    this.#lines.close();
    await this.dir[Symbol.asyncDispose]();
  }

  async #obey(command: string): Promise<unknown> {
    this.#child.stdin.write(`${command}\n`);
    const { value, done } = await this.#answers.next();
    if (done === true) throw new Error(`lossy-disk ended: ${this.#stderr}`);
    const answer = JSON.parse(value) as { readonly error?: string };
    if (answer.error !== undefined) throw new Error(`lossy-disk, ${command}: ${answer.error}`);
    return answer;
  }
}

/** Why no file system of ours can be mounted here; undefined where it can. */
export const whyNoLossyDisk = async (): Promise<string | undefined> => {
  if (process.platform !== 'linux') return `FUSE is of Linux, this is ${process.platform}`;
  try {
    accessSync('/dev/fuse', constants.R_OK | constants.W_OK);
    await using _disk = await LossyDisk.start();
    return undefined;
  } catch (error) {
    return `no FUSE file system can be mounted here: ${(error as Error).message}`;
  }
};
