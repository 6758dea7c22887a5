import { FallingLevels } from '../../system/falling-levels.js';
import { REFUSED_FLOODS } from './refusal-limits.js';

/** What the thread reads that names a module: `<verb>.<module>.…`. */
const WITH_MODULE: ReadonlySet<string> = new Set(['send', 'ask', 'schedule', 'state']);

/**
 * Counts, by connection, requests for modules that are not known. The broker refuses each one, and counts refusals too.
 * But it comes to them later than the thread that reads: until then, a flood stands before the requests of others.
 */
export class UnknownCount {
  readonly #levels = new FallingLevels(REFUSED_FLOODS.wrong.account);
  #known: ReadonlySet<string> | undefined;

  /** The modules of now. Before the first call nothing is counted. */
  know(modules: readonly string[]): void {
    this.#known = new Set(modules);
  }

  /** Counts a request; whether its connection has sent too many for modules that are not known. */
  isFlood(subject: string, connection: string, now = performance.now()): boolean {
    if (this.#known === undefined) return false;
    const verb = subject.indexOf('.');
    if (!WITH_MODULE.has(subject.slice(0, verb))) return false;
    const module = subject.slice(verb + 1, subject.indexOf('.', verb + 1));
    return !this.#known.has(module) && this.#levels.add(connection, now) > 1;
  }
}
