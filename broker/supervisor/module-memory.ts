import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import Type, { type Static } from 'typebox';
import { type Fault, fault } from '../../schemas/errors.js';
import type { Manifest } from '../../schemas/manifest.js';
import { compileOnUse } from '../../schemas/validate.js';
import { replaceFileSync } from '../../system/files/durable-file.js';

/** In the data directory: which modules this broker has had, and what an operator wants of each. */
export const MEMORY_FILE = 'modules.json';

const RememberedSchema = Type.Object({
  /**
   * `loaded`: it is to run. `unloaded`: an operator stopped it. `removed`: one that ships with the package and is
   * left out.
   */
  intent: Type.Enum(['loaded', 'unloaded', 'removed']),
  /** Absolute path of the directory that it was loaded from last. */
  dir: Type.String({ minLength: 1 }),
  /** It ships with this package. */
  shipped: Type.Boolean(),
  /** Why the broker parked it; null: it did not. */
  parked: Type.Union([Type.String(), Type.Null()]),
  /** The manifest that was read last: commands are checked by it while the directory cannot be read. */
  manifest: Type.Object({ name: Type.String(), actions: Type.Object({}) }),
});

const MemorySchema = Type.Object({
  version: Type.Literal(1),
  modules: Type.Record(Type.String(), RememberedSchema),
});

export type Intent = Static<typeof RememberedSchema>['intent'];

export interface Remembered extends Omit<Static<typeof RememberedSchema>, 'manifest'> {
  readonly manifest: Manifest;
}

const check = compileOnUse<Static<typeof MemorySchema>>(MemorySchema, 'DATA_DIR_UNUSABLE', MEMORY_FILE);

const unusable = (path: string, why: string): Fault =>
  fault(
    'DATA_DIR_UNUSABLE',
    `${path} cannot be read: ${why}. It says which modules this broker has. Put a copy of it back. Or remove it: then ` +
      'the broker knows the modules of its command line only, and commands of all others are answered MODULE_UNKNOWN',
  );

const parse = (path: string): E.Either<Fault, ReadonlyMap<string, Remembered>> => {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    return E.left(unusable(path, (error as Error).message));
  }
  const checked = check(value);
  if (E.isLeft(checked)) return E.left(unusable(path, checked.left.message));
  // The manifest was checked when it was written; a rule that came later must not make the module unknown.
  return E.right(new Map(Object.entries(checked.right.modules) as [string, Remembered][]));
};

/**
 * What the broker remembers of modules from one start to the next. A module that is remembered is known: its commands
 * wait, whether it runs or not. Each change is on the disk before the call returns.
 */
export class ModuleMemory {
  #modules: ReadonlyMap<string, Remembered>;

  private constructor(
    private readonly path: string,
    modules: ReadonlyMap<string, Remembered>,
  ) {
    this.#modules = modules;
  }

  /** DATA_DIR_UNUSABLE where the file is damaged: without it, the broker would give results to waiting commands. */
  static open(dataDir: string): E.Either<Fault, ModuleMemory> {
    const path = join(dataDir, MEMORY_FILE);
    if (!existsSync(path)) return E.right(new ModuleMemory(path, new Map()));
    return E.map((modules: ReadonlyMap<string, Remembered>) => new ModuleMemory(path, modules))(parse(path));
  }

  get all(): ReadonlyMap<string, Remembered> {
    return this.#modules;
  }

  /** Changes several entries in one step; undefined forgets the name. DATA_DIR_UNUSABLE: nothing was changed. */
  change(changes: ReadonlyMap<string, Remembered | undefined>): E.Either<Fault, void> {
    const next = new Map(this.#modules);
    for (const [name, entry] of changes) {
      if (entry === undefined) next.delete(name);
      else next.set(name, entry);
    }
    const text = JSON.stringify({ version: 1, modules: Object.fromEntries(next) });
    // Most starts change nothing, and need not wait for the disk.
    if (text === JSON.stringify({ version: 1, modules: Object.fromEntries(this.#modules) }))
      return E.right(undefined);
    try {
      replaceFileSync(this.path, `${text}\n`);
    } catch (error) {
      const why = (error as Error).message;
      return E.left(
        fault('DATA_DIR_UNUSABLE', `${this.path} cannot be written: ${why}; nothing was changed`),
      );
    }
    this.#modules = next;
    return E.right(undefined);
  }
}
