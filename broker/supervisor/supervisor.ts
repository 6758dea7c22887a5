import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type Fault, fault } from '../../schemas/errors.js';
import type { ModuleRemoval } from '../../schemas/operate.js';
import { failPoint } from '../../system/processes/fail-point.js';
import { startOrder } from './dependencies.js';
import { type ModuleSource, readModule } from './manifest-file.js';
import { ConfigRollout, type RolledOut } from './config-rollout.js';
import { ModuleChanges } from './module-changes.js';
import { ModuleChecks } from './module-checks.js';
import { ModuleIntents } from './module-intents.js';
import type { ModuleMemory } from './module-memory.js';
import { nameTaken, originOf } from './module-origin.js';
import { ModuleRemover } from './module-remover.js';
import type { ModuleSurroundings } from './module-surroundings.js';
import type { PlannedStart } from './start-plan.js';
import { SupervisedModule } from './supervised-module.js';
import type { SupervisedModules } from './supervised-modules.js';

/** A module that was told to start: how that ends. Others may stop it meanwhile. */
type Begun = TaskEither<Fault, SupervisedModule>;

interface Granting {
  /** The operator grants the module what its manifest asks for. */
  readonly grant?: boolean;
}

/** Starts and stops the modules of a broker, in the order of their dependencies. */
export class Supervisor {
  readonly #changes = new ModuleChanges();
  readonly #intents: ModuleIntents;
  readonly #checks: ModuleChecks;
  readonly #remover: ModuleRemover;
  readonly #rollout: ConfigRollout;
  #stops = false;

  constructor(
    private readonly modules: SupervisedModules,
    private readonly around: ModuleSurroundings,
    memory: ModuleMemory,
  ) {
    this.#rollout = new ConfigRollout({
      find: (name) => modules.find(name),
      load: (module) => this.#startWaiting(module),
      configs: around.configs ?? { forProcess: () => E.right(undefined) },
      log: around.log,
    });
    this.#intents = new ModuleIntents(memory, (name, text) => around.log(name, text, 'warn'));
    this.#checks = new ModuleChecks(modules, around, this.#intents);
    this.#remover = new ModuleRemover(modules, around, this.#intents);
  }

  /** Makes modules known and remembers them, before any of them starts. A name that is there twice is refused. */
  plan(planned: readonly PlannedStart[]): E.Either<Fault, void> {
    for (const { source, rest } of planned) {
      const { name } = source.manifest;
      const same = this.modules.find(name);
      if (same !== undefined) {
        return E.left(nameTaken(name, originOf(same.source.dir), originOf(source.dir)));
      }
      const module = this.#make(source);
      if (rest !== undefined) module.rest(rest);
      this.modules.put(module);
    }
    return this.#intents.plan(planned);
  }

  /** Starts all that are to run, each after those it depends on. What cannot start says why; the rest runs. */
  async loadAll(): Promise<void> {
    const { groups, refused } = startOrder(this.modules.manifests);
    const toStart = (name: string): SupervisedModule[] => {
      const module = this.modules.find(name);
      return module?.state === 'known' && module.reason === null ? [module] : [];
    };
    for (const [name, problem] of refused) {
      if (toStart(name).length === 0) continue;
      this.#checks.refuse(name, problem);
      // What it was granted before the start is by a manifest that will have to change before it can start (I7).
      await this.around.revoke(name)();
    }
    for (const group of groups) {
      const starting = group.flatMap(toStart);
      await Promise.all(
        starting.map((module) => module.load({ once: this.#intents.isParked(module.name) })()),
      );
    }
  }

  /**
   * Loads a module from its directory, or starts one again that is known by it and not running. `grant`: its cage gets
   * what its manifest asks for.
   */
  load(dir: string, { grant = false }: Granting = {}): TaskEither<Fault, SupervisedModule> {
    return pipe(
      TE.fromEither(readModule(dir)),
      TE.chain((source) => {
        const { name } = source.manifest;
        return this.#changes.alone(name, 'loaded', () => this.#load(source, grant));
      }),
      TE.chain((begun) => begun),
    );
  }

  /** Brings the configuration of now to a module. Every change of it is on the disk already. */
  configured(name: string): Promise<RolledOut> {
    return this.#rollout.roll(name);
  }

  unload(name: string, withDependents: boolean): TaskEither<Fault, SupervisedModule> {
    return this.#changes.alone(name, 'unloaded', () =>
      pipe(
        this.#known(name),
        TE.chain((module) => this.#unload(module, withDependents)),
      ),
    );
  }

  /**
   * Takes the manifest and the code that are there now, or those in `dir`. They are tried first, and what is wrong with
   * them leaves the running process alone. `untried`: without that.
   */
  reload(
    name: string,
    {
      untried = false,
      grant = false,
      dir,
    }: Granting & { readonly untried?: boolean; readonly dir?: string } = {},
  ): TaskEither<Fault, SupervisedModule> {
    const replaced = this.#changes.alone(name, 'reloaded', () =>
      pipe(
        this.#known(name),
        TE.bindTo('old'),
        TE.bind('source', ({ old }) => TE.fromEither(readModule(dir ?? old.source.dir))),
        TE.filterOrElse(
          ({ source }) => source.manifest.name === name,
          ({ source: { manifestPath, manifest } }) =>
            fault('MANIFEST_INVALID', `${manifestPath} now names ${manifest.name}`, '/name'),
        ),
        TE.chainFirst(({ source }) => TE.fromEither(this.#checks.allowedAndFits(source, grant))),
        TE.chainFirst(({ old, source }) =>
          TE.fromEither(old.isActive ? this.#checks.configured(source) : E.right(undefined)),
        ),
        TE.chainFirst(({ old, source }) =>
          untried || !old.isActive ? TE.right(undefined) : this.around.tryOut(source),
        ),
        TE.chain(({ old, source }) => this.#replace(old, source)),
      ),
    );
    return pipe(
      replaced,
      TE.chain((begun) => begun),
    );
  }

  /** Replaces the process of a module by one with the same code, if it runs: what the old one remembers is gone. */
  restart(name: string): TaskEither<Fault, void> {
    const replaced = this.#changes.alone(name, 'restarted', () => {
      const module = this.modules.find(name);
      return module?.isActive === true
        ? this.#replace(module, module.source)
        : TE.right<Fault, Begun | undefined>(undefined);
    });
    return pipe(
      replaced,
      TE.chain((begun): TaskEither<Fault, unknown> => begun ?? TE.right(undefined)),
      TE.map(() => undefined),
    );
  }

  /**
   * Forgets a module. Its commands that wait are answered MODULE_UNKNOWN, as later ones are. `dryRun` only tells how
   * many there are.
   */
  remove(
    name: string,
    { unload = false, dryRun = false }: { readonly unload?: boolean; readonly dryRun?: boolean } = {},
  ): TaskEither<Fault, ModuleRemoval> {
    return this.#changes.alone(name, 'removed', () =>
      pipe(
        this.#known(name),
        TE.filterOrElse(
          ({ isActive }) => dryRun || unload || !isActive,
          ({ state }) =>
            fault('MODULE_STATE', `${name} is ${state}: unload it first, or give --unload to do both`),
        ),
        TE.chain((module) =>
          dryRun
            ? TE.right(this.#remover.foresee(module))
            : pipe(
                this.#unload(module, false),
                TE.chain(() => this.#remover.remove(module)),
              ),
        ),
      ),
    );
  }

  /** Stops all, each before those it depends on. What is remembered of them stays. */
  async unloadAll(): Promise<void> {
    this.#stops = true;
    const { groups } = startOrder(this.modules.manifests);
    const active = (name: string): SupervisedModule[] => {
      const module = this.modules.find(name);
      return module?.isActive === true ? [module] : [];
    };
    for (const group of [...groups].reverse()) {
      await Promise.all(group.flatMap(active).map((module) => module.unload()));
    }
  }

  /** See {@link SupervisedModule.abandon}. */
  abandonAll(): void {
    this.#stops = true;
    for (const module of this.modules.all()) module.abandon();
  }

  #make(source: ModuleSource): SupervisedModule {
    const { name } = source.manifest;
    this.around.learn?.(source.manifest);
    const pace = this.modules.find(name)?.pace;
    return new SupervisedModule({
      source,
      around: this.around,
      ...(pace === undefined ? {} : { pace }),
      onParked: (parked) => this.#intents.parked(name, parked),
    });
  }

  #startWaiting(module: SupervisedModule): TaskEither<Fault, void> {
    return pipe(
      this.#changes.alone(
        module.name,
        'configured',
        (): TaskEither<Fault, TaskEither<Fault, void>> => async () => {
          // Another request may have changed it, or removed it, before this one had its turn.
          if (this.modules.find(module.name) !== module || !module.waitsForConfig)
            return E.right(TE.right(undefined));
          const started = module.load()();
          return E.right(() => started);
        },
      ),
      TE.chain((begun) => begun),
    );
  }

  #known(name: string): TaskEither<Fault, SupervisedModule> {
    const module = this.modules.find(name);
    return module === undefined
      ? TE.left(fault('MODULE_UNKNOWN', `there is no module ${name}; \`tallystick module list\` lists them`))
      : TE.right(module);
  }

  #load(source: ModuleSource, grant: boolean): TaskEither<Fault, Begun> {
    const { name } = source.manifest;
    const known = this.modules.find(name);
    if (known?.isActive === true) {
      const how = `\`tallystick module reload ${name}\` takes a changed one`;
      return TE.left(fault('MODULE_STATE', `${name} is ${known.state} already; ${how}`));
    }
    return pipe(
      TE.fromEither(this.#checks.allowedAndFits(source, grant)),
      TE.chainEitherK(() => this.#intents.remember([source], 'loaded')),
      TE.chainEitherK(() => this.#begin(source)),
    );
  }

  /** Puts a module in the place of the one of that name that is not running, and starts it. */
  #begin(source: ModuleSource): E.Either<Fault, Begun> {
    if (this.#stops) return E.left(fault('MODULE_STATE', 'the broker is about to stop'));
    const module = this.#make(source);
    this.modules.put(module);
    const started = module.load()();
    return E.right(async () => E.map(() => module)(await started));
  }

  #replace(old: SupervisedModule, source: ModuleSource): TaskEither<Fault, Begun> {
    return async () => {
      const written = this.#intents.remember([source], 'loaded');
      if (E.isLeft(written)) return written;
      old.reloading = true;
      await old.unload();
      failPoint('module.reloading');
      // Calls have waited for the old one so far, and wait for the new one from here on.
      const begun = this.#begin(source);
      old.reloading = false;
      return begun;
    };
  }

  #unload(module: SupervisedModule, withDependents: boolean): TaskEither<Fault, SupervisedModule> {
    return async () => {
      const dependents = this.modules.activeDependents(module.name);
      if (dependents.length > 0 && !withDependents) {
        const names = dependents.map((dependent) => dependent.name).join(', ');
        return E.left(
          fault('DEPENDENTS_LOADED', `${names} need ${module.name}; --with-dependents unloads them first`),
        );
      }
      const all = [...dependents, module];
      const written = this.#intents.remember(
        all.map(({ source }) => source),
        'unloaded',
      );
      if (E.isLeft(written)) return written;
      for (const each of all) {
        await each.unload();
        await this.around.revoke(each.name)();
      }
      return E.right(module);
    };
  }
}
