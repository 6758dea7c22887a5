import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import Type, { type Static } from 'typebox';
import { type Fault, fault } from '../../schemas/errors.js';
import { parseJson } from '../../schemas/json.js';
import { NAME_PATTERN } from '../../schemas/names.js';
import { compileOnUse } from '../../schemas/validate.js';
import { readBounded } from '../../system/files/bounded-file.js';
import { replaceFileSync } from '../../system/files/durable-file.js';
import { makeDirs } from '../../system/files/make-dirs.js';

/** A broker that a person connects to, with the paths of the files that it takes. */
export const ContextSchema = Type.Object(
  {
    name: Type.String({ pattern: NAME_PATTERN }),
    server: Type.String({ minLength: 1 }),
    token: Type.Optional(Type.String({ minLength: 1 })),
    creds: Type.Optional(Type.String({ minLength: 1 })),
    tlsCa: Type.Optional(Type.String({ minLength: 1 })),
    tlsCert: Type.Optional(Type.String({ minLength: 1 })),
    tlsKey: Type.Optional(Type.String({ minLength: 1 })),
  },
  { additionalProperties: false },
);
export type BrokerContext = Readonly<Static<typeof ContextSchema>>;

const FileSchema = Type.Object({
  version: Type.Literal(1),
  /** The one that commands use; null: none. */
  current: Type.Union([Type.String(), Type.Null()]),
  contexts: Type.Array(ContextSchema),
});

/** The contexts of a person. */
export interface Contexts {
  readonly current: string | null;
  readonly contexts: readonly BrokerContext[];
}

const NONE: Contexts = { current: null, contexts: [] };
const MAX_BYTES = 1024 * 1024;

const check = compileOnUse<Static<typeof FileSchema>>(FileSchema, 'USAGE', 'the file of contexts');

/** The file of the person who runs this. It has paths of tokens, and no token. */
export const contextsFile = (env: NodeJS.ProcessEnv = process.env): string => {
  const given = env.XDG_CONFIG_HOME ?? '';
  return join(given === '' ? join(homedir(), '.config') : given, 'tallystick', 'contexts.json');
};

/** All contexts; none without the file. USAGE if the file is damaged: no command may guess which broker is meant. */
export const readContexts = (path = contextsFile()): E.Either<Fault, Contexts> => {
  if (!existsSync(path)) return E.right(NONE);
  const read = readBounded(path, MAX_BYTES);
  const checked = E.isLeft(read) ? E.left(fault('USAGE', read.left)) : E.chain(check)(parseJson(read.right));
  if (E.isRight(checked)) return checked;
  const advice = 'correct it, or remove it and add the contexts again';
  return E.left(fault('USAGE', `${path} cannot be used: ${checked.left.message}; ${advice}`));
};

/** Replaces the file in one step. Its owner alone reads it. */
export const writeContexts = (
  { current, contexts }: Contexts,
  path = contextsFile(),
): E.Either<Fault, void> =>
  E.tryCatch(
    () => {
      makeDirs(dirname(path));
      replaceFileSync(path, `${JSON.stringify({ version: 1, current, contexts }, null, 1)}\n`);
    },
    (error) => fault('OUTPUT_FAILED', `${path} cannot be written: ${(error as Error).message}`),
  );

/** The context of that name. CONTEXT_UNKNOWN names those that exist. */
export const contextNamed = ({ contexts }: Contexts, name: string): E.Either<Fault, BrokerContext> => {
  const found = contexts.find((each) => each.name === name);
  if (found !== undefined) return E.right(found);
  const names =
    contexts.length === 0 ? 'there is none' : `there are ${contexts.map((each) => each.name).join(', ')}`;
  return E.left(
    fault('CONTEXT_UNKNOWN', `there is no context ${JSON.stringify(name.slice(0, 64))}: ${names}`),
  );
};
