import type { Manifest } from '../../schemas/manifest.js';

type Linked = Pick<Manifest, 'name' | 'on' | 'dependencies'>;

/**
 * Which modules can cause each other's events in a circle: by listening to each other, or by commands on the way. Where
 * there is no circle, no chain of events is endless, and its length need not be known.
 */
export class Circles {
  readonly #manifests = new Map<string, Linked>();
  #reached = new Map<string, ReadonlySet<string>>();

  learn(manifest: Linked): void {
    this.#manifests.set(manifest.name, manifest);
    this.#reached = new Map();
  }

  forget(name: string): void {
    this.#manifests.delete(name);
    this.#reached = new Map();
  }

  /** Whether an event of the publisher that a listener hears can lead to another event of the publisher. */
  has(publisher: string, listener: string): boolean {
    return this.#from(listener).has(publisher);
  }

  /** The module and all others that its events and commands can reach. */
  #from(module: string): ReadonlySet<string> {
    const known = this.#reached.get(module);
    if (known !== undefined) return known;
    const reached = new Set([module]);
    // What is added meanwhile is visited too.
    for (const each of reached) for (const next of this.#next(each)) reached.add(next);
    this.#reached.set(module, reached);
    return reached;
  }

  *#next(module: string): Iterable<string> {
    yield* Object.keys(this.#manifests.get(module)?.dependencies ?? {});
    for (const { name, on = {} } of this.#manifests.values())
      if (Object.keys(on).some((events) => events.startsWith(`${module}.`))) yield name;
  }
}
