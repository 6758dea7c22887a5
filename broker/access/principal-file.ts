import { existsSync } from 'node:fs';
import * as E from 'fp-ts/lib/Either.js';
import Type, { type Static } from 'typebox';
import { type Fault, fault } from '../../schemas/errors.js';
import { parseJson } from '../../schemas/json.js';
import { type Principal, PrincipalSchema } from '../../schemas/access-requests.js';
import { compileOnUse } from '../../schemas/validate.js';
import { readBounded } from '../../system/files/bounded-file.js';
import { replaceFileSync } from '../../system/files/durable-file.js';

/** In the data directory: who has a token, and what each may do. It has public keys only. */
export const PRINCIPALS_FILE = 'principals.json';

/** 10,000 principals with many grants. */
const MAX_BYTES = 64 * 1024 * 1024;

const FileSchema = Type.Object({ version: Type.Literal(1), principals: Type.Array(PrincipalSchema) });

const check = compileOnUse<Static<typeof FileSchema>>(FileSchema, 'DATA_DIR_UNUSABLE', PRINCIPALS_FILE);

const unusable = (path: string, why: string): Fault =>
  fault(
    'DATA_DIR_UNUSABLE',
    `${path} cannot be read: ${why}. It says who has a token. Put a copy of it back. Or remove it: then all tokens are ` +
      'revoked, and `tallystick token create` makes others',
  );

/** The principals of a data directory; none without the file. DATA_DIR_UNUSABLE if it is damaged. */
export const readPrincipals = (path: string): E.Either<Fault, readonly Principal[]> => {
  if (!existsSync(path)) return E.right([]);
  const read = readBounded(path, MAX_BYTES);
  if (E.isLeft(read)) return E.left(unusable(path, read.left));
  const checked = E.chain(check)(parseJson(read.right));
  return E.isLeft(checked) ? E.left(unusable(path, checked.left.message)) : E.right(checked.right.principals);
};

/** Replaces the file in one step, on the disk. DATA_DIR_UNUSABLE: nothing was changed. */
export const writePrincipals = (path: string, principals: readonly Principal[]): E.Either<Fault, void> =>
  E.tryCatch(
    () => replaceFileSync(path, `${JSON.stringify({ version: 1, principals }, null, 1)}\n`),
    (error) =>
      fault(
        'DATA_DIR_UNUSABLE',
        `${path} cannot be written: ${(error as Error).message}; nothing was changed`,
      ),
  );
