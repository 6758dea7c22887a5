/** What can be announced: names, each with what its listeners get. */
type News = Record<string, readonly unknown[]>;

type Listener<What extends readonly unknown[]> = (...what: What) => void;

/** Where others listen: all that they see of an {@link Announcer}. */
export interface Announces<N extends News> {
  /** Listens from now on; returns what ends that. */
  readonly on: <K extends keyof N>(name: K, listener: Listener<N[K]>) => () => void;
}

/**
 * Announces what happens to all who listen: at once, and to each in the order in which they began to listen. The one
 * that announces knows none of them. A listener that throws does not keep the news from the others; `onThrown` is
 * told.
 */
export class Announcer<N extends News> implements Announces<N> {
  // An array is replaced, never changed: a listener may end its listening while it listens.
  readonly #listeners = new Map<keyof N, readonly Listener<N[keyof N]>[]>();

  constructor(private readonly onThrown: (name: keyof N, thrown: unknown) => void) {}

  on<K extends keyof N>(name: K, listener: Listener<N[K]>): () => void {
    const added = listener as Listener<N[keyof N]>;
    this.#listeners.set(name, [...(this.#listeners.get(name) ?? []), added]);
    return () => {
      const left = (this.#listeners.get(name) ?? []).filter((each) => each !== added);
      this.#listeners.set(name, left);
    };
  }

  announce<K extends keyof N>(name: K, ...what: N[K]): void {
    const listeners = this.#listeners.get(name);
    if (listeners === undefined) return;
    for (const listener of listeners) {
      try {
        listener(...what);
      } catch (thrown) {
        this.onThrown(name, thrown);
      }
    }
  }
}
