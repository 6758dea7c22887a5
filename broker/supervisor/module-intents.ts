import * as E from 'fp-ts/lib/Either.js';
import type { Fault } from '../../schemas/errors.js';
import { failPoint } from '../../system/processes/fail-point.js';
import type { ModuleSource } from './manifest-file.js';
import type { Intent, ModuleMemory, Remembered } from './module-memory.js';
import type { PlannedStart } from './start-plan.js';

/**
 * What the operator wants of each module. It is in the file before it is done: after a reply, it holds through any
 * crash.
 */
export class ModuleIntents {
  constructor(
    private readonly memory: ModuleMemory,
    private readonly log: (module: string, text: string) => void,
  ) {}

  /** What is remembered of a module: its cage has what that manifest asks for. */
  of(name: string): Remembered | undefined {
    return this.memory.all.get(name);
  }

  isShipped(name: string): boolean {
    return this.memory.all.get(name)?.shipped === true;
  }

  /** Whether the broker has parked the module, and no one has started it again since. */
  isParked(name: string): boolean {
    return (this.memory.all.get(name)?.parked ?? null) !== null;
  }

  /** The broker has parked the module, and why; null: it runs. */
  parked(name: string, parked: string | null): void {
    const entry = this.memory.all.get(name);
    if (entry === undefined || entry.parked === parked) return;
    const written = this.memory.change(new Map([[name, { ...entry, parked }]]));
    if (E.isLeft(written)) this.log(name, written.left.message);
  }

  /** What a start of the broker has found out. */
  plan(planned: readonly PlannedStart[]): E.Either<Fault, void> {
    return this.memory.change(
      new Map(planned.map(({ source, remembered }) => [source.manifest.name, remembered])),
    );
  }

  remember(modules: readonly ModuleSource[], intent: Intent): E.Either<Fault, void> {
    const entry = ({ dir, manifest }: ModuleSource): Remembered => {
      const before = this.memory.all.get(manifest.name);
      const shipped = before?.dir === dir && before.shipped;
      return {
        intent,
        dir,
        manifest,
        shipped,
        parked: intent === 'loaded' ? null : (before?.parked ?? null),
      };
    };
    failPoint('module.remembering');
    const written = this.memory.change(new Map(modules.map((each) => [each.manifest.name, entry(each)])));
    failPoint('module.remembered');
    return written;
  }

  forget(name: string): E.Either<Fault, void> {
    const entry = this.memory.all.get(name);
    // One of the package would be back with the next start.
    const kept: Remembered | undefined =
      entry?.shipped === true ? { ...entry, intent: 'removed' } : undefined;
    failPoint('module.removing');
    const written = this.memory.change(new Map([[name, kept]]));
    if (E.isLeft(written)) return written;
    failPoint('module.removed');
    return written;
  }
}
