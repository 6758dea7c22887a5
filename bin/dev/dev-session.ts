import { existsSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { isLeft } from 'fp-ts/lib/Either.js';
import type { NatsConnection } from 'nats';
import { ask } from '../../link/request-broker.js';
import { BUILT_DIR } from '../../schemas/config.js';
import { FaultError, type Fault } from '../../schemas/errors.js';
import { type BrokerStatus, OPS, type Ready } from '../../schemas/operate.js';
import { ownPackage } from '../../system/files/own-package.js';
import type { BrokerLog } from '../../system/lines/broker-log.js';
import { openConnection } from '../connect/connect.js';
import { faultThrown } from '../output/thrown-fault.js';
import { callFeed } from './call-feed.js';
import { freshMasks } from './fresh-masks.js';
import type { DevEvent, TypeProblem } from './dev-event.js';
import { DevModule } from './dev-module.js';
import { type DevSources, isModuleFile } from './dev-sources.js';
import { SourceNames } from './source-names.js';
import { SourceWatch } from './source-watch.js';
import { isSyntaxProblem, TypeCheck } from './type-check.js';

export interface DevSessionOptions {
  readonly cwd: string;
  readonly dataDir: string;
  readonly sources: DevSources;
  readonly checksTypes: boolean;
  readonly reveal?: boolean;
  readonly tell: (event: DevEvent) => void;
}

const orThrow = async <A>(task: ReturnType<typeof ask<A>>): Promise<A> => {
  const done = await task();
  if (isLeft(done)) throw new FaultError(done.left);
  return done.right;
};

const OURS = [`${ownPackage().root}/dist/`, `${ownPackage().root}/modules/`, ' (node:', 'at node:'];

/** A line of a stack that names this package or Node: a stack is shown for its lines of the module. */
const isOurFrame = (line: string): boolean =>
  /^\s+at /.test(line) && OURS.some((place) => line.includes(place));

/** Keeps the modules of a running broker up to date with their sources, and tells each call. */
export class DevSession {
  readonly #modules = new Map<string, DevModule>();
  readonly #names = new SourceNames((file) => {
    const module = this.#modules.get(file);
    if (module !== undefined) this.#refresh([module], performance.now());
  });
  readonly #watch: SourceWatch;
  readonly #types: TypeCheck | undefined;
  readonly #ended = new AbortController();
  #typesAreGood: boolean | undefined;
  #nc: NatsConnection | undefined;
  /** Saves from before the broker was ready. */
  readonly #early = new Set<string>();

  constructor(private readonly options: DevSessionOptions) {
    const { cwd, dataDir, sources, checksTypes } = options;
    this.#watch = new SourceWatch((paths, sinceMs) => this.#changed(paths, sinceMs));
    const cache = join(dataDir, 'types.tsbuildinfo');
    if (checksTypes) this.#types = new TypeCheck(cwd, cache, (problems) => this.#typesChecked(problems));
    const nowMs = Date.now();
    this.#watch.add(
      sources.folders.map((folder) => join(folder, 'any')),
      nowMs,
    );
    for (const file of sources.files) this.#module(file);
  }

  /** The broker's output, line by line. A module's own lines are told as such. */
  readonly log: BrokerLog = {
    line: (source, text) => {
      const isModule = [...this.#modules.values()].some(({ name }) => name === source);
      for (const line of text.split('\n')) {
        if (isModule && isOurFrame(line)) continue;
        this.#tell(
          isModule
            ? { event: 'output', module: source, text: line }
            : { event: 'broker', part: source, text: line },
        );
      }
    },
  };

  /** Builds all modules; the directories of those that are good. The others are told. */
  async build(): Promise<readonly string[]> {
    const dirs = await Promise.all([...this.#modules.values()].map((module) => module.first()));
    this.#types?.begin();
    return dirs.filter((dir) => dir !== undefined);
  }

  /** Follows the sources and the log from now on. Tells what goes wrong. */
  async serve(ready: Ready): Promise<void> {
    try {
      await this.#serve(ready);
    } catch (thrown) {
      const { code, message } = faultThrown(thrown);
      this.#tell({ event: 'note', text: `${code}: ${message}; calls and saves are not followed any more` });
    }
  }

  /** Ends the watching and the check of types. Idempotent. */
  async close(): Promise<void> {
    this.#ended.abort();
    this.#types?.close();
    for (const module of this.#modules.values()) module.close();
    this.#watch.close();
    await this.#nc?.close();
  }

  async #serve({ pid, nats, dataDir, durability }: Ready): Promise<void> {
    const opened = await openConnection({ data: dataDir })();
    if (isLeft(opened)) throw new FaultError(opened.left);
    const nc = opened.right;
    this.#nc = nc;
    const { modules, log } = await orThrow(ask<BrokerStatus>(nc, OPS.status));
    const sources = [...this.#modules.keys()].map((file) => relative(this.options.cwd, file));
    const shown = modules.map(({ name, version, state }) => ({ name, version, state }));
    this.#tell({ event: 'ready', pid, nats, dataDir, durability, modules: shown, sources });
    for (const { name, state, reason } of modules)
      if (state !== 'loaded')
        this.#tell({ event: 'note', text: `${name} is ${state}${reason === null ? '' : `: ${reason}`}` });
    // Saves may have come while the broker started.
    this.#changed(new Set(this.#early), performance.now());
    for await (const call of callFeed(nc, {
      fromSeq: log.lastSeq + 1,
      signal: this.#ended.signal,
      masks: freshMasks(dataDir, this.options.reveal === true),
    }))
      this.#tell(call);
  }

  #module(file: string): DevModule {
    const { cwd, dataDir } = this.options;
    const module = new DevModule(file, {
      cwd,
      root: join(dataDir, BUILT_DIR),
      tell: (event) => this.#tell(event),
      names: this.#names,
      isOurs: (other) => this.#modules.has(other),
      onPaths: (paths, sinceMs) => this.#watch.add(paths, sinceMs),
    });
    this.#modules.set(file, module);
    return module;
  }

  #changed(paths: ReadonlySet<string>, savedAt: number): void {
    if (this.#nc === undefined) {
      for (const path of paths) this.#early.add(path);
      return;
    }
    for (const path of paths) if (this.#isNewModule(path)) this.#module(path);
    const concerned = [...this.#modules.values()].filter((module) =>
      [...paths].some((path) => module.concerns(path)),
    );
    this.#refresh(concerned, savedAt);
  }

  #refresh(modules: readonly DevModule[], savedAt: number): void {
    const nc = this.#nc;
    if (modules.length === 0 || nc === undefined) return;
    // It would take the processor from the builds, and it may have read half of the new files.
    this.#types?.stop();
    void Promise.all(modules.map((module) => module.refresh(nc, savedAt)))
      .then(() => this.#types?.begin())
      .catch((thrown: unknown) => this.#failed(faultThrown(thrown)));
  }

  #typesChecked(found: readonly TypeProblem[]): void {
    const problems = found.filter((problem) => !this.#isTold(problem));
    // A compiler that finds a syntax error may check no types: it is not known whether they are good.
    if (found.length > 0 && problems.length === 0) return;
    // That they are still good is no news.
    if (problems.length > 0 || this.#typesAreGood !== true) this.#tell({ event: 'types', problems });
    this.#typesAreGood = problems.length === 0;
  }

  /** Whether a build has told the problem: it finds syntax errors too. */
  #isTold(problem: TypeProblem): boolean {
    const file = resolve(this.options.cwd, problem.file);
    return isSyntaxProblem(problem) && [...this.#modules.values()].some((module) => module.hasTold(file));
  }

  #isNewModule(path: string): boolean {
    const isInFolder = this.options.sources.folders.includes(dirname(path));
    return isInFolder && isModuleFile(basename(path)) && !this.#modules.has(path) && existsSync(path);
  }

  #failed({ code, message }: Fault): void {
    this.#tell({ event: 'note', text: `${code}: ${message}` });
  }

  #tell(event: DevEvent): void {
    if (!this.#ended.signal.aborted) this.options.tell(event);
  }
}
