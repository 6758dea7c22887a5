import { existsSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { type Either, isLeft, isRight } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type { NatsConnection } from 'nats';
import { type BuiltModule, buildModule } from '../../modules/bundle/build-module.js';
import { nameTaken, originOf } from '../../broker/supervisor/module-origin.js';
import { type Fault, FaultError, fault } from '../../schemas/errors.js';
import { pause } from '../../system/async/pause.js';
import { DEFAULT_TIMEOUT_MS } from '../connect/slow-request.js';
import { moduleInfo } from '../jobs/module-code.js';
import { removeEarlierBuilds } from '../jobs/module-builds.js';
import { loadDir, reloadDir } from '../jobs/load-module-source.js';
import type { DevEvent } from './dev-event.js';
import type { SourceNames } from './source-names.js';

const WAITING = { waitMs: DEFAULT_TIMEOUT_MS };
/** How often a broker that restarts its server is asked again, and after which pause. */
const MOST_TRIES = 40;
const RETRY_MS = 250;
/** The broker cannot be asked now, or another request has the module. */
const PASSING: ReadonlySet<string> = new Set(['BROKER_UNREACHABLE', 'SERVER_UNREACHABLE', 'MODULE_STATE']);

/** The files that the message of a failed build names with line and column. */
const placesIn = (message: string, cwd: string): readonly string[] =>
  [...message.matchAll(/^(\S.*?):\d+:\d+: /gm)].map(([, file = '']) => resolve(cwd, file));

const runsFrom = (name: string, source: string, other: string): Fault =>
  fault(
    'MODULE_NAME_TAKEN',
    `${source} has the module name ${name}, and the broker runs ${name} from ${other}: give the file another name, or run \`tallystick module remove ${name} --unload\` and save the file again`,
  );

export interface DevModuleOptions {
  readonly cwd: string;
  /** Where builds go: the folder of built modules in the data directory. */
  readonly root: string;
  readonly tell: (event: DevEvent) => void;
  readonly names: SourceNames;
  /** Whether dev builds this file. */
  readonly isOurs: (file: string) => boolean;
  /** Called with the paths that a build looked at, and the time when it began, milliseconds since 1970. */
  readonly onPaths: (paths: Iterable<string>, sinceMs: number) => void;
}

/** One source of a module: it is built at each save, and the broker gets what was built. */
export class DevModule {
  readonly #source: string;
  /** Files that the last builds read, and paths that they looked for. */
  #paths = new Set<string>();
  #isBroken = false;
  /** The files in which the last build found the problem. */
  #brokenFiles: ReadonlySet<string> = new Set();
  /** The last event said that the source is broken or gone. */
  #isToldBad = false;
  /** The broker runs code of this source. */
  #runs = false;
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

  /** Whether the last build failed at a place in this file. */
  hasTold(file: string): boolean {
    return this.#brokenFiles.has(file);
  }

  /** Builds it before a broker runs. Undefined if that fails, which is told. */
  async first(): Promise<string | undefined> {
    const built = await this.#build();
    if (built === undefined) return undefined;
    this.#name = built.name;
    this.#dir = built.dir;
    this.#runs = true;
    // Two sources with one name: the start of the broker refuses them.
    this.options.names.take(built.name, this.file);
    return built.dir;
  }

  /** Builds it and has the broker load it. A save during a build leads to one more build. */
  refresh(nc: NatsConnection, savedAt: number): Promise<void> {
    this.#savedAt ??= savedAt;
    this.#working ??= this.#work(nc);
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
        this.#broken(thrown.fault);
      }
    }
    // Here, and not when the promise resolves: a save in between would be lost.
    this.#working = undefined;
  }

  async #once(nc: NatsConnection, savedAt: number): Promise<void> {
    const { names } = this.options;
    if (!existsSync(this.file)) {
      this.#isToldBad = true;
      this.#tell({ event: 'gone', ...this.#what, continues: this.#runs });
      return names.gone(this.file);
    }
    const built = await this.#build();
    if (built === undefined || this.#isClosed) return;
    const { name, dir } = built;
    // Another file may have had the name meanwhile.
    if (!names.has(name, this.file)) this.#dir = undefined;
    const holder = names.take(name, this.file);
    if (holder !== undefined)
      return this.#broken(nameTaken(name, relative(this.options.cwd, holder), this.#source));
    if (dir !== this.#dir) return this.#give(nc, built, savedAt);
    if (this.#isToldBad) this.#tell({ event: 'unchanged', ...this.#what });
    this.#isToldBad = false;
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
    this.#brokenFiles = new Set(isLeft(built) ? placesIn(built.left.message, cwd) : []);
    onPaths(this.#paths, sinceMs);
    if (isRight(built)) return built.right;
    this.#broken(built.left);
    return undefined;
  }

  /**
   * The broker gets the build without a trial, which would take as long again: the build has loaded the code already.
   * If the new code cannot fold the past, the broker gets the code from before.
   */
  async #give(nc: NatsConnection, { name, dir }: BuiltModule, savedAt: number): Promise<void> {
    const before = await this.#patiently(moduleInfo(nc, name));
    if (isLeft(before) && before.left.code !== 'MODULE_UNKNOWN') return this.#broken(before.left);
    const running = isRight(before) && before.right.state !== 'unloaded' ? before.right.dir : undefined;
    const other = running === undefined ? undefined : this.#otherOrigin(running);
    if (other !== undefined) return this.#broken(runsFrom(name, this.#source, other));
    const given = await this.#patiently(
      running === undefined ? loadDir(nc, dir, WAITING) : reloadDir(nc, name, dir, WAITING),
    );
    this.#name = name;
    if (isLeft(given)) return this.#broken(await this.#withCodeBefore(nc, name, dir, running, given.left));
    this.#dir = dir;
    this.#runs = true;
    this.#isToldBad = false;
    const ms = Math.round(performance.now() - savedAt);
    const event = running === undefined ? 'loaded' : 'reloaded';
    this.#tell({ event, module: name, source: this.#source, ms });
    await removeEarlierBuilds(dir)();
  }

  /** The broker got code that it cannot run. It gets the code from before, if it stopped that. */
  async #withCodeBefore(
    nc: NatsConnection,
    name: string,
    dir: string,
    running: string | undefined,
    why: Fault,
  ): Promise<Fault> {
    this.#dir = undefined;
    const isStopped = why.code === 'MODULE_START_FAILED';
    const old = running === dir ? undefined : running;
    const back =
      isStopped && old !== undefined ? await this.#patiently(reloadDir(nc, name, old, WAITING)) : undefined;
    this.#runs = isStopped ? back !== undefined && isRight(back) : running !== undefined;
    // The lines after the first are those that the module printed, which were told already.
    const [message = ''] = why.message.split('\n');
    return { ...why, message };
  }

  /** The source or the directory of the code that the broker runs, if dev does not build it and it still exists. */
  #otherOrigin(dir: string): string | undefined {
    const origin = originOf(dir);
    const isOther = origin !== this.file && !this.options.isOurs(origin) && existsSync(origin);
    return isOther ? origin : undefined;
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

  #broken(error: Fault): void {
    this.#isToldBad = true;
    this.#tell({ event: 'broken', ...this.#what, continues: this.#runs, error });
  }

  #tell(event: DevEvent): void {
    if (!this.#isClosed) this.options.tell(event);
  }
}
