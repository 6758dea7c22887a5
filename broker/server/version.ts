import { type Either, left, right } from 'fp-ts/lib/Either.js';
import { type Fault, fault } from '../../schemas/errors.js';

/** The release that is fetched or built where no nats-server is found; equal to the one in `gomod/go.mod`. */
export const SERVER_VERSION = '2.15.1';

/** The oldest server that has all that the broker stands on. */
export const MIN_SERVER_VERSION = '2.14.0';

const SEMVER = /\bv?(\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?)/;

/** The version in what `nats-server --version` prints (`nats-server: v2.15.1`); undefined in any other text. */
export const parseServerVersion = (output: string): string | undefined =>
  output.includes('nats-server') ? SEMVER.exec(output)?.[1] : undefined;

interface VersionParts {
  readonly core: readonly string[];
  /** Undefined in a release. */
  readonly pre: readonly string[] | undefined;
}

const partsOf = (version: string): VersionParts => {
  const dash = version.indexOf('-');
  if (dash < 0) return { core: version.split('.'), pre: undefined };
  return { core: version.slice(0, dash).split('.'), pre: version.slice(dash + 1).split('.') };
};

const isNumber = (identifier: string): boolean => /^\d+$/.test(identifier);

/** Numbers by value and before words; words by letter. */
const compareIdentifiers = (a: string, b: string): number => {
  if (isNumber(a) && isNumber(b)) return Number(a) - Number(b);
  if (isNumber(a) !== isNumber(b)) return isNumber(a) ? -1 : 1;
  return a < b ? -1 : Number(a > b);
};

/** Identifier by identifier; of two that are equal so far the shorter list is older. */
const compareLists = (a: readonly string[], b: readonly string[]): number => {
  const differences = a
    .slice(0, b.length)
    .map((identifier, at) => compareIdentifiers(identifier, b[at] ?? ''));
  return differences.find((difference) => difference !== 0) ?? a.length - b.length;
};

/**
 * Semantic versions without `v` in their order: negative when `a` is older, 0 when equal, positive when newer.
 * A prerelease is older than its release (2.14.0-RC.1 < 2.14.0).
 */
export const compareVersions = (a: string, b: string): number => {
  const [left, right] = [partsOf(a), partsOf(b)];
  const core = compareLists(left.core, right.core);
  if (core !== 0) return core;
  if (left.pre === undefined || right.pre === undefined) {
    return Number(left.pre === undefined) - Number(right.pre === undefined);
  }
  return compareLists(left.pre, right.pre);
};

/** Refuses a server below the minimum. `where` names the binary or the address for the person who reads it. */
export const checkServerVersion = (version: string, where: string): Either<Fault, string> =>
  compareVersions(version, MIN_SERVER_VERSION) >= 0
    ? right(version)
    : left(
        fault(
          'SERVER_TOO_OLD',
          `nats-server ${version} at ${where} is too old: ${MIN_SERVER_VERSION} or newer is needed, since consumer ` +
            `reset and fast batches came with 2.14. Upgrade it, or set NATS_SERVER to a newer one, or remove it from ` +
            `PATH so that the broker fetches its own`,
        ),
      );
