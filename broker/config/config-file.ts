import { existsSync } from 'node:fs';
import * as E from 'fp-ts/lib/Either.js';
import Type, { type Static } from 'typebox';
import { type Fault, fault } from '../../schemas/errors.js';
import { parseJson } from '../../schemas/json.js';
import { CONFIG_FILE } from '../../schemas/module-config.js';
import { compileOnUse } from '../../schemas/validate.js';
import { messageOf } from '../../text/thrown-message.js';
import { readBounded } from '../../system/files/bounded-file.js';
import { replaceFileSync } from '../../system/files/durable-file.js';
import { failPoint } from '../../system/processes/fail-point.js';

const MAX_BYTES = 64 * 1024 * 1024;

const Who = { by: Type.String(), at: Type.String() } as const;
const StoredKeySchema = Type.Union([
  Type.Object({ value: Type.Unknown(), ...Who }),
  /** AES-256-GCM, see `ConfigSeal`. */
  Type.Object({ sealed: Type.String(), ...Who }),
]);
const StoredModuleSchema = Type.Object({
  /** Grows with each change. */
  version: Type.Integer({ minimum: 0 }),
  keys: Type.Record(Type.String(), StoredKeySchema),
});
const FileSchema = Type.Object({
  version: Type.Literal(1),
  modules: Type.Record(Type.String(), StoredModuleSchema),
});

/** The value of a key, who set it and when. */
export type StoredKey = Readonly<Static<typeof StoredKeySchema>>;
export interface StoredConfig {
  readonly version: number;
  readonly keys: Readonly<Record<string, StoredKey>>;
}
/** By module. */
export type StoredConfigs = ReadonlyMap<string, StoredConfig>;

const check = compileOnUse<Static<typeof FileSchema>>(FileSchema, 'DATA_DIR_UNUSABLE', CONFIG_FILE);

const unusable = (path: string, why: string): Fault =>
  fault(
    'DATA_DIR_UNUSABLE',
    `${path} cannot be read: ${why}. It has the configuration of modules. Put a copy of it back. Or move it away: then ` +
      'no key has a value, and modules run with the defaults of their schemas',
  );

/** What the check says of a place may quote it: of this file, only the place is told. */
export const readConfigs = (path: string): E.Either<Fault, StoredConfigs> => {
  if (!existsSync(path)) return E.right(new Map());
  const read = readBounded(path, MAX_BYTES);
  if (E.isLeft(read)) return E.left(unusable(path, read.left));
  const parsed = parseJson(read.right);
  if (E.isLeft(parsed)) return E.left(unusable(path, 'it is no JSON'));
  const checked = check(parsed.right);
  if (E.isLeft(checked))
    return E.left(unusable(path, `${checked.left.path ?? ''} has no configuration of version 1`));
  return E.right(new Map(Object.entries(checked.right.modules)));
};

/** Replaces the file in one step, on the disk, readable by its owner only. DATA_DIR_UNUSABLE: nothing was changed. */
export const writeConfigs = (path: string, modules: StoredConfigs): E.Either<Fault, void> =>
  E.tryCatch(
    () => {
      failPoint('config.writing');
      replaceFileSync(
        path,
        `${JSON.stringify({ version: 1, modules: Object.fromEntries(modules) }, null, 1)}\n`,
      );
      failPoint('config.written');
    },
    (error) =>
      fault('DATA_DIR_UNUSABLE', `${path} cannot be written: ${messageOf(error)}; nothing was changed`),
  );
