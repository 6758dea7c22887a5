import { existsSync } from 'node:fs';
import { dirname, relative } from 'node:path';
import { type Either, isLeft, isRight } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type { NatsConnection } from 'nats';
import { type BuiltModule, buildModule } from '../../modules/bundle/build-module.js';
import { type Fault, FaultError } from '../../schemas/errors.js';
import { pause } from '../../system/async/pause.js';
import { DEFAULT_TIMEOUT_MS } from '../connect/slow-request.js';
import { moduleInfo } from '../jobs/module-code.js';
import { removeEarlierBuilds } from '../jobs/module-builds.js';
import { loadDir, reloadDir } from '../jobs/load-module-source.js';
import type { DevEvent } from './dev-event.js';

const WAITING = { waitMs: DEFAULT_TIMEOUT_MS };
/** How often a broker that restarts its server is asked again, and after which pause. */
const MOST_TRIES = 40;
const RETRY_MS = 250;
/** The broker cannot be asked now, or another request has the module. */
const PASSING: ReadonlySet<string> = new Set(['BROKER_UNREACHABLE', 'SERVER_UNREACHABLE', 'MODULE_STATE']);

export interface DevModuleOptions {
  readonly cwd: string;
  /** Where builds go: the folder of built modules in the data directory. */
  readonly root: string;
  readonly tell: (event: DevEvent) => void;
  /** Called with the paths that a build looked at, and the time when it began, milliseconds since 1970. */
  readonly onPaths: (paths: Iterable<string>, sinceMs: number) => void;
}

/** One source of a module: it is built at each save, and the broker gets what was built. */
export class DevModule {
  readonly #source: string;
  /** Files that the last builds read, and paths that they looked for. */
  #paths = new Set<string>();
  #isBroken = false;
  #name: string | undefined;
  /** The build that the broker has, as far as this process knows. */
  #dir: string | undefined;
  /** A save that no build has read yet: when it came, by the clock of `performance.now()`. */
  #savedAt: number | undefined;
  #working: Promise<void> | undefined;
  #isClosed = false;

  constructor(
    readonly file: string,
    private readonly options: DevModuleOptions,
  ) {
    this.#source = relative(options.cwd, file);
  }

  /** The name of its last good build. */
  get name(): string | undefined {
    return this.#name;
  }

  /** Whether a change of this path may change what a build gives. */
  concerns(path: string): boolean {
    if (path === this.file || this.#paths.has(path)) return true;
    // What a failed build lacks may come under any name.
    return this.#isBroken && [...this.#paths].some((each) => dirname(each) === dirname(path));
  }

  /** Builds it before a broker runs. Undefined if that fails, which is told. */
  async first(): Promise<string | undefined> {
    const built = await this.#build();
    if (built === undefined) return undefined;
    this.#name = built.name;
    this.#dir = built.dir;
    return built.dir;
  }

  /** Builds it and has the broker load it. A save during a build leads to one more build. */
  refresh(nc: NatsConnection, savedAt: number): Promise<void> {
    this.#savedAt ??= savedAt;
    this.#working ??= this.#work(nc).finally(() => {
      this.#working = undefined;
    });
    return this.#working;
  }

  /** Begins nothing more and tells nothing more. */
  close(): void {
    this.#isClosed = true;
  }

  async #work(nc: NatsConnection): Promise<void> {
    for (let at = this.#savedAt; at !== undefined && !this.#isClosed; at = this.#savedAt) {
      this.#savedAt = undefined;
      try {
        await this.#once(nc, at);
      } catch (thrown) {
        if (!(thrown instanceof FaultError)) throw thrown;
        this.#broken(thrown.fault, true);
      }
    }
  }

  async #once(nc: NatsConnection, savedAt: number): Promise<void> {
    if (!existsSync(this.file)) return this.#tell({ event: 'gone', ...this.#what });
    const wasBroken = this.#isBroken;
    const built = await this.#build();
    if (built === undefined || this.#isClosed) return;
    if (built.dir === this.#dir) {
      if (wasBroken) this.#tell({ event: 'unchanged', ...this.#what });
      return;
    }
    await this.#give(nc, built, savedAt);
  }

  /** Undefined if the build fails, which is told. */
  async #build(): Promise<BuiltModule | undefined> {
    const { cwd, root, onPaths } = this.options;
    const sinceMs = Date.now();
    const paths = new Set([this.file]);
    const built = await buildModule(this.file, root, { cwd, onPath: (path) => paths.add(path) });
    this.#isBroken = isLeft(built);
    // A build that fails may not have come to all files.
    this.#paths = isLeft(built) ? new Set([...this.#paths, ...paths]) : paths;
    onPaths(this.#paths, sinceMs);
    if (isRight(built)) return built.right;
    this.#broken(built.left, this.#dir !== undefined);
    return undefined;
  }

  /**
   * The broker gets the build without a trial, which would take as long again: the build has loaded the code already.
   * If the new code cannot fold the past, the broker gets the code from before.
   */
  async #give(nc: NatsConnection, { name, dir }: BuiltModule, savedAt: number): Promise<void> {
    const before = await this.#patiently(moduleInfo(nc, name));
    if (isLeft(before) && before.left.code !== 'MODULE_UNKNOWN') return this.#broken(before.left, true);
    const isKnown = isRight(before) && before.right.state !== 'unloaded';
    const given = await this.#patiently(
      isKnown ? reloadDir(nc, name, dir, WAITING) : loadDir(nc, dir, WAITING),
    );
    this.#name = name;
    if (isLeft(given)) {
      this.#isBroken = true;
      this.#dir = undefined;
      const old = isKnown && before.right.dir !== dir ? before.right.dir : undefined;
      const isStopped = given.left.code === 'MODULE_START_FAILED';
      const back =
        isStopped && old !== undefined ? await this.#patiently(reloadDir(nc, name, old, WAITING)) : undefined;
      // The lines after the first are those that the module printed, which were told already.
      const [message = ''] = given.left.message.split('\n');
      return this.#broken(
        { ...given.left, message },
        isStopped ? back !== undefined && isRight(back) : isKnown,
      );
    }
    this.#dir = dir;
    const ms = Math.round(performance.now() - savedAt);
    this.#tell({ event: isKnown ? 'reloaded' : 'loaded', module: name, source: this.#source, ms });
    await removeEarlierBuilds(dir)();
  }

  /** Asks again while the broker restarts its server, or while another request has the module. */
  async #patiently<A>(request: TaskEither<Fault, A>): Promise<Either<Fault, A>> {
    for (let tries = 1; ; tries++) {
      const done = await request();
      if (isRight(done) || !PASSING.has(done.left.code)) return done;
      if (tries === MOST_TRIES || this.#isClosed) return done;
      await pause(RETRY_MS);
    }
  }

  get #what(): { readonly source: string; readonly module: string | null } {
    return { source: this.#source, module: this.#name ?? null };
  }

  #broken(error: Fault, continues: boolean): void {
    this.#tell({ event: 'broken', ...this.#what, continues, error });
  }

  #tell(event: DevEvent): void {
    if (!this.#isClosed) this.options.tell(event);
  }
}
