import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type Fault, fault } from '../../schemas/errors.js';
import type { Manifest } from '../../schemas/manifest.js';
import type { ModuleDirectory } from '../gateway/directory.js';
import { dependenciesOf, startOrder } from './dependencies.js';
import { type ModuleSource, readModule } from './manifest-file.js';
import { type ModuleSurroundings, SupervisedModule } from './supervised-module.js';

/** All modules of a broker: which there are, in which order they start, and who depends on whom. */
export class Supervisor implements ModuleDirectory {
  readonly #modules = new Map<string, SupervisedModule>();

  constructor(private readonly around: ModuleSurroundings) {}

  find(name: string): SupervisedModule | undefined {
    return this.#modules.get(name);
  }

  *served(): Iterable<SupervisedModule> {
    for (const module of this.#modules.values()) if (module.state === 'loaded') yield module;
  }

  all(): Iterable<SupervisedModule> {
    return this.#modules.values();
  }

  /** Makes modules known, before any of them starts. A name that is taken is refused. */
  add(source: ModuleSource): E.Either<Fault, SupervisedModule> {
    const { name } = source.manifest;
    if (this.#modules.has(name)) {
      return E.left(
        fault(
          'MODULE_STATE',
          `there is a module ${name} already, from ${this.#modules.get(name)?.source.dir}`,
        ),
      );
    }
    const module = new SupervisedModule(source, this.around);
    this.#modules.set(name, module);
    return E.right(module);
  }

  /** Starts all that are known, each after those it depends on. What cannot start says why; the rest runs. */
  async loadAll(): Promise<void> {
    const { groups, refused } = startOrder(this.#manifests());
    for (const [name, problem] of refused) {
      this.#refuse(name, problem);
      // What it was granted before the start is by a manifest that will have to change before it can start (I7).
      await this.around.revoke(name)();
    }
    for (const group of groups) {
      await Promise.all(group.map((name) => (this.#modules.get(name) as SupervisedModule).load()()));
    }
  }

  /** Loads a module from its directory, or starts one again that is known by it and not running. */
  load(dir: string): TaskEither<Fault, SupervisedModule> {
    return pipe(
      TE.fromEither(readModule(dir)),
      TE.chainEitherK((source) => {
        const known = this.#modules.get(source.manifest.name);
        if (known?.state === 'loaded' || known?.state === 'loading') {
          const how = `\`tallystick module reload ${known.name}\` takes a changed one`;
          return E.left(fault('MODULE_STATE', `${known.name} is ${known.state} already; ${how}`));
        }
        this.#modules.delete(source.manifest.name);
        return this.add(source);
      }),
      TE.chain((module) => this.#loadOne(module)),
    );
  }

  unload(name: string, withDependents: boolean): TaskEither<Fault, SupervisedModule> {
    return pipe(
      this.#known(name),
      TE.chain((module) => async () => {
        const dependents = this.#loadedDependents(name);
        if (dependents.length > 0 && !withDependents) {
          const names = dependents.map((dependent) => dependent.name).join(', ');
          return E.left(
            fault('DEPENDENTS_LOADED', `${names} need ${name}; --with-dependents unloads them first`),
          );
        }
        for (const dependent of dependents) await this.#stop(dependent);
        await this.#stop(module);
        return E.right(module);
      }),
    );
  }

  /** Reads the manifest again and replaces the process. A manifest that is wrong leaves the running module alone. */
  reload(name: string): TaskEither<Fault, SupervisedModule> {
    return pipe(
      this.#known(name),
      TE.bindTo('old'),
      TE.bind('source', ({ old }) => TE.fromEither(readModule(old.source.dir))),
      TE.filterOrElse(
        ({ source }) => source.manifest.name === name,
        ({ source, old }) =>
          fault('MANIFEST_INVALID', `${old.source.manifestPath} now names ${source.manifest.name}`, '/name'),
      ),
      TE.chain(({ old, source }) => async () => {
        const { refused } = startOrder(new Map([...this.#manifests(), [name, source.manifest]]));
        const problem = refused.get(name);
        if (problem !== undefined) return E.left(problem);
        await old.unload();
        const module = new SupervisedModule(source, this.around);
        this.#modules.set(name, module);
        return this.#loadOne(module)();
      }),
    );
  }

  /** Stops all, each before those it depends on. */
  async unloadAll(): Promise<void> {
    const { groups } = startOrder(this.#manifests());
    for (const group of [...groups].reverse()) {
      await Promise.all(group.map((name) => this.#modules.get(name)?.unload()));
    }
  }

  /** See {@link SupervisedModule.abandon}. */
  abandonAll(): void {
    for (const module of this.#modules.values()) module.abandon();
  }

  #manifests(): ReadonlyMap<string, Manifest> {
    return new Map([...this.#modules].map(([name, { manifest }]) => [name, manifest]));
  }

  /** A module that somebody is stopping already would be started twice by the next who stops and starts it. */
  #known(name: string): TaskEither<Fault, SupervisedModule> {
    const module = this.#modules.get(name);
    if (module === undefined) return TE.left(fault('MODULE_UNKNOWN', `there is no module ${name}`));
    return module.stopping
      ? TE.left(fault('MODULE_STATE', `${name} is being stopped by another request; try again once it is`))
      : TE.right(module);
  }

  #loadOne(module: SupervisedModule): TaskEither<Fault, SupervisedModule> {
    const problem = startOrder(this.#manifests()).refused.get(module.name);
    if (problem === undefined)
      return pipe(
        module.load(),
        TE.map(() => module),
      );
    this.#refuse(module.name, problem);
    return TE.left(problem);
  }

  async #stop(module: SupervisedModule): Promise<void> {
    await module.unload();
    await this.around.revoke(module.name)();
  }

  /** Those that need this module, directly or not, dependents before what they depend on. */
  #loadedDependents(name: string): readonly SupervisedModule[] {
    const { groups } = startOrder(this.#manifests());
    // Groups come in dependency order and hold no circle, so one pass finds what is needed indirectly too.
    const needing = new Set([name]);
    for (const each of groups.flat()) {
      if (
        dependenciesOf((this.#modules.get(each) as SupervisedModule).manifest).some((other) =>
          needing.has(other),
        )
      ) {
        needing.add(each);
      }
    }
    needing.delete(name);
    return [...groups]
      .reverse()
      .flat()
      .map((each) => this.#modules.get(each) as SupervisedModule)
      .filter(({ name: each, state }) => (state === 'loaded' || state === 'loading') && needing.has(each));
  }

  #refuse(name: string, problem: Fault): void {
    this.#modules.get(name)?.refuse(problem);
    this.around.log(name, `cannot start: ${problem.message}`);
  }
}
