import type { Manifest } from '../../schemas/manifest.js';
import type { ModuleDirectory } from '../gateway/directory.js';
import { dependenciesOf, startOrder } from './dependencies.js';
import type { SupervisedModule } from './supervised-module.js';

/** The modules that a broker knows, by name. The supervisor changes this list; every other part only reads it. */
export class SupervisedModules implements ModuleDirectory {
  readonly #byName = new Map<string, SupervisedModule>();
  readonly #hearers: ((names: readonly string[]) => void)[] = [];

  find(name: string): SupervisedModule | undefined {
    return this.#byName.get(name);
  }

  *served(): Iterable<SupervisedModule> {
    for (const module of this.all()) if (module.state === 'loaded' || module.reloading) yield module;
  }

  all(): Iterable<SupervisedModule> {
    return this.#byName.values();
  }

  get manifests(): ReadonlyMap<string, Manifest> {
    return new Map([...this.#byName].map(([name, { manifest }]) => [name, manifest]));
  }

  /** Adds a module, in the place of the one of its name. */
  put(module: SupervisedModule): void {
    this.#byName.set(module.name, module);
    this.#tell();
  }

  forget(name: string): void {
    this.#byName.delete(name);
    this.#tell();
  }

  /** Hears the names of all modules whenever they may have changed. */
  onNames(hear: (names: readonly string[]) => void): void {
    this.#hearers.push(hear);
  }

  #tell(): void {
    const names = [...this.#byName.keys()];
    for (const hear of this.#hearers) hear(names);
  }

  /** The modules whose manifests name this one. */
  dependents(name: string): readonly SupervisedModule[] {
    return [...this.all()].filter(({ manifest }) => dependenciesOf(manifest).includes(name));
  }

  /** The active modules that need this one, directly or not. Each comes before those that it depends on. */
  activeDependents(name: string): readonly SupervisedModule[] {
    const { manifests } = this;
    const { groups } = startOrder(manifests);
    const needing = new Set([name]);
    // Groups come in the order of dependencies and have no circle, so one pass finds indirect dependents too.
    for (const each of groups.flat()) {
      const manifest = manifests.get(each) as Manifest;
      if (dependenciesOf(manifest).some((other) => needing.has(other))) needing.add(each);
    }
    needing.delete(name);
    return [...groups]
      .reverse()
      .flat()
      .filter((each) => needing.has(each))
      .flatMap((each) => this.find(each) ?? [])
      .filter(({ isActive }) => isActive);
  }
}
