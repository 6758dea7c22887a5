import { isDeepStrictEqual } from 'node:util';
import { join } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import { type Fault, fault } from '../../schemas/errors.js';
import type { Manifest } from '../../schemas/manifest.js';
import {
  CONFIG_FILE,
  type ConfigKey,
  type ConfigValues,
  configKeys,
  effectiveConfig,
  MAX_CONFIG_VALUE_BYTES,
  textsIn,
} from '../../schemas/module-config.js';
import {
  readConfigs,
  type StoredConfig,
  type StoredConfigs,
  type StoredKey,
  writeConfigs,
} from './config-file.js';
import { ConfigSeal } from './config-seal.js';

/** What the process of a module gets. */
export interface ProcessConfig {
  /** Grows with each change of the module's configuration. */
  readonly version: number;
  readonly config: ConfigValues;
  /** Texts that no output may show. */
  readonly secrets: readonly string[];
}

/** A change of one key, and the version after it. */
export interface KeyChange {
  readonly version: number;
  /** False: the key had that value already. */
  readonly changed: boolean;
}

const NONE: StoredConfig = { version: 0, keys: {} };

/**
 * The configuration of all modules, on the disk before a call returns. A module that is unloaded keeps its own; one
 * that is removed loses it, so that another module of that name gets no secret of it.
 */
export class ModuleConfigs {
  #modules: StoredConfigs;
  /** Of manifests that were refused because they need more: their keys can be set before they are tried again. */
  readonly #wanted = new Map<string, Manifest>();

  private constructor(
    private readonly path: string,
    modules: StoredConfigs,
    private readonly seal: ConfigSeal,
  ) {
    this.#modules = modules;
  }

  /** DATA_DIR_UNUSABLE where the file or the key is damaged: without them, modules would run with other values. */
  static open(dataDir: string): E.Either<Fault, ModuleConfigs> {
    const path = join(dataDir, CONFIG_FILE);
    return pipe(
      readConfigs(path),
      E.bindTo('modules'),
      E.bind('seal', ({ modules }) => {
        const keys = [...modules.values()].flatMap((each) => Object.values(each.keys));
        return ConfigSeal.open(
          dataDir,
          keys.some((each) => 'sealed' in each),
        );
      }),
      E.map(({ modules, seal }) => new ModuleConfigs(path, modules, seal)),
    );
  }

  of(module: string): StoredConfig {
    return this.#modules.get(module) ?? NONE;
  }

  /** The value of a key; undefined: it has none. CONFIG_INVALID: a secret cannot be opened. */
  value(module: string, key: string): E.Either<Fault, unknown> {
    const { keys } = this.of(module);
    const stored = Object.hasOwn(keys, key) ? keys[key] : undefined;
    if (stored === undefined) return E.right(undefined);
    if (!('sealed' in stored)) return E.right(stored.value);
    return pipe(
      this.seal.open({ module, key }, stored.sealed),
      E.map((text): unknown => JSON.parse(text)),
    );
  }

  /** For the process of a module; undefined: the module declares no configuration. */
  forProcess(manifest: Manifest): E.Either<Fault, ProcessConfig | undefined> {
    if (manifest.config === undefined) return E.right(undefined);
    const { name } = manifest;
    const sealed = this.#sealMarked(manifest);
    if (E.isLeft(sealed)) return sealed;
    const { version, keys } = this.of(name);
    const values: [string, unknown][] = [];
    const secrets: string[] = [];
    for (const { key, isSecret } of configKeys(manifest)) {
      const value = this.value(name, key);
      if (E.isLeft(value)) return value;
      if (value.right === undefined) continue;
      values.push([key, value.right]);
      if (isSecret || (keys[key] !== undefined && 'sealed' in keys[key]))
        secrets.push(...textsIn(value.right));
    }
    return pipe(
      effectiveConfig(manifest, Object.fromEntries(values)),
      E.map((config) => ({ version, config, secrets })),
    );
  }

  /** Whether a process of this manifest could start. If not, its keys can be set all the same. */
  checkStart(manifest: Manifest): E.Either<Fault, void> {
    const ready = this.forProcess(manifest);
    if (E.isLeft(ready)) this.#wanted.set(manifest.name, manifest);
    else this.#wanted.delete(manifest.name);
    return E.map(() => undefined)(ready);
  }

  /** The manifest of that module which was refused for its configuration, and is not tried again yet. */
  wantedBy(module: string): Manifest | undefined {
    return this.#wanted.get(module);
  }

  set(
    module: string,
    { key, isSecret }: Pick<ConfigKey, 'key' | 'isSecret'>,
    value: unknown,
    by: string,
  ): E.Either<Fault, KeyChange> {
    const text = JSON.stringify(value);
    const bytes = Buffer.byteLength(text);
    if (bytes > MAX_CONFIG_VALUE_BYTES) {
      const message = `the value of ${module}.${key} has ${bytes} bytes as JSON; at most ${MAX_CONFIG_VALUE_BYTES} are allowed`;
      return E.left(fault('CONFIG_INVALID', message));
    }
    const before = this.value(module, key);
    const stored = this.of(module).keys[key];
    const isKept = isSecret === (stored !== undefined && 'sealed' in stored);
    if (E.isRight(before) && isKept && before.right !== undefined && isDeepStrictEqual(before.right, value))
      return E.right({ version: this.of(module).version, changed: false });
    return pipe(
      this.#storedKey(module, key, isSecret, value, by),
      E.chain((entry) => this.#change(module, key, entry)),
    );
  }

  unset(module: string, key: string): E.Either<Fault, KeyChange> {
    const { version, keys } = this.of(module);
    if (!Object.hasOwn(keys, key)) return E.right({ version, changed: false });
    return this.#change(module, key, undefined);
  }

  /** The module is removed, and its configuration with it. */
  forget(module: string): E.Either<Fault, void> {
    this.#wanted.delete(module);
    if (!this.#modules.has(module)) return E.right(undefined);
    const next = new Map(this.#modules);
    next.delete(module);
    return this.#write(next);
  }

  #storedKey(
    module: string,
    key: string,
    isSecret: boolean,
    value: unknown,
    by: string,
  ): E.Either<Fault, StoredKey> {
    const at = new Date().toISOString();
    if (!isSecret) return E.right({ value, by, at });
    return pipe(
      this.seal.seal({ module, key }, JSON.stringify(value)),
      E.map((sealed) => ({ sealed, by, at })),
    );
  }

  /** A later version of a module may mark a key as secret: from then on the file has it sealed. */
  #sealMarked(manifest: Manifest): E.Either<Fault, void> {
    const { name } = manifest;
    const { keys, version } = this.of(name);
    const plain = configKeys(manifest).filter(
      ({ key, isSecret }) => isSecret && Object.hasOwn(keys, key) && !('sealed' in (keys[key] as StoredKey)),
    );
    if (plain.length === 0) return E.right(undefined);
    const next: Record<string, StoredKey> = { ...keys };
    for (const { key } of plain) {
      const { value, by, at } = keys[key] as Extract<StoredKey, { value: unknown }>;
      const sealed = this.seal.seal({ module: name, key }, JSON.stringify(value));
      if (E.isLeft(sealed)) return sealed;
      next[key] = { sealed: sealed.right, by, at };
    }
    return this.#write(new Map(this.#modules).set(name, { version, keys: next }));
  }

  #change(module: string, key: string, entry: StoredKey | undefined): E.Either<Fault, KeyChange> {
    const { version, keys } = this.of(module);
    const { [key]: _, ...others } = keys;
    const next = { version: version + 1, keys: entry === undefined ? others : { ...others, [key]: entry } };
    return pipe(
      this.#write(new Map(this.#modules).set(module, next)),
      E.map(() => ({ version: next.version, changed: true })),
    );
  }

  #write(next: StoredConfigs): E.Either<Fault, void> {
    const written = writeConfigs(this.path, next);
    if (E.isRight(written)) this.#modules = next;
    return written;
  }
}
