import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { NatsConnection } from 'nats';
import { ask } from '../../link/request-broker.js';
import type { ConfigList } from '../../schemas/config-requests.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { parseJson } from '../../schemas/json.js';
import type { Manifest } from '../../schemas/manifest.js';
import { type ConfigKey, type ConfigValues, configKeys, isTextSchema } from '../../schemas/module-config.js';
import { OPS } from '../../schemas/operate.js';
import { readBounded } from '../../system/files/bounded-file.js';

const MAX_FILE_BYTES = 16 * 1024 * 1024;

/** In the place of a secret that is a text: handlers that run again reach nothing outside, so they need none. */
const STAND_IN = '(sensitive)';

/** The values of a file, an object of JSON. USAGE. */
export const configFromFile = (file: string): Either<Fault, ConfigValues> => {
  const usage = (why: string): Either<Fault, never> => left(fault('USAGE', `--config: ${file}: ${why}`));
  const read = readBounded(file, MAX_FILE_BYTES);
  if (isLeft(read)) return usage(read.left);
  const parsed = parseJson(read.right);
  if (isLeft(parsed)) return usage(parsed.left.message);
  const value = parsed.right;
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? right(value as ConfigValues)
    : usage('it has no JSON object with a key for each value');
};

/** A secret that this command does not get: a stand-in, as long as its schema wants. */
const standIn = ({ schema }: ConfigKey): unknown => {
  if (!isTextSchema(schema)) return undefined;
  const { minLength = 0 } = schema as { readonly minLength?: number };
  return STAND_IN.padEnd(minLength, '-');
};

/**
 * What handlers that run again see of the configuration of now. Its secrets stay with the broker. A module that the
 * broker does not know has the defaults of its schema.
 */
export const configOfNow = (nc: NatsConnection, manifest: Manifest): TE.TaskEither<Fault, ConfigValues> => {
  if (manifest.config === undefined) return TE.right({});
  return pipe(
    ask<ConfigList>(nc, OPS.configList, { module: manifest.name }),
    TE.orElse((problem) =>
      problem.code === 'MODULE_UNKNOWN' ? TE.right<Fault, ConfigList>({ modules: [] }) : TE.left(problem),
    ),
    TE.map(({ modules: [found] }) => {
      const set = new Map((found?.keys ?? []).filter((each) => each.set).map((each) => [each.key, each]));
      const values = configKeys(manifest).map((declared) => {
        const entry = set.get(declared.key);
        if (entry !== undefined && !entry.secret && !declared.isSecret)
          return [declared.key, entry.value] as const;
        return [
          declared.key,
          declared.isSecret && (entry !== undefined || declared.isRequired) ? standIn(declared) : undefined,
        ] as const;
      });
      return Object.fromEntries(values.filter(([, value]) => value !== undefined));
    }),
  );
};
