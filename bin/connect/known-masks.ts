import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { NatsConnection } from 'nats';
import { linkedRequest } from '../../link/linked-request.js';
import { ask, silenceOf } from '../../link/request-broker.js';
import type { TargetOptions } from '../../link/target.js';
import { DEFAULT_DATA_DIR } from '../../schemas/config.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { Masks } from '../../schemas/masks.js';
import { OPS } from '../../schemas/operate.js';
import { type Marks, SENSITIVE_FILE } from '../../schemas/sensitive.js';
import { printNote } from '../output/output.js';
import { withConnection } from './connect.js';
import { isNamedByAddress } from './data-dir.js';

export interface RevealOptions {
  readonly reveal?: boolean;
}

type MaskOptions = RevealOptions & TargetOptions;

const PROBE_MS = 5_000;

/** For commands that show what the log or a snapshot has. */
export const withReveal = (command: Command): Command =>
  command.option('--reveal', 'show sensitive values too; the broker records that in its audit');

const readMarks = (path: string): Marks => {
  if (!existsSync(path)) return {};
  return (JSON.parse(readFileSync(path, 'utf8')) as { readonly modules: Marks }).modules;
};

/** What is hidden, as the data directory knows it: snapshots are read without the broker. */
export const fileMasks = (dataDir: string, { reveal = false }: RevealOptions): E.Either<Fault, Masks> => {
  if (reveal) return E.right(Masks.none);
  const path = join(dataDir, SENSITIVE_FILE);
  try {
    return E.right(new Masks(readMarks(path)));
  } catch (error) {
    const why = `${path} cannot be read: ${(error as Error).message}. It says what is sensitive; --reveal shows all`;
    return E.left(fault('DATA_DIR_UNUSABLE', why));
  }
};

/** A broker of an earlier version knows no marks, and its modules have none. */
const ofOlderBroker = (problem: Fault): E.Either<Fault, Masks> =>
  problem.code === 'ACTION_UNKNOWN' ? E.right(Masks.none) : E.left(problem);

/**
 * What is hidden of snapshots, which are read without the broker. With `--reveal` the broker is asked all the same: it
 * records that. If none runs, nothing is shown.
 */
export const snapshotMasks = (
  dataDir: string,
  options: RevealOptions,
  what: string,
): TE.TaskEither<Fault, Masks> =>
  options.reveal === true
    ? pipe(
        withConnection({ data: dataDir }, (nc) => ask(nc, OPS.sensitive, { reveal: true, what })),
        TE.map(() => Masks.none),
        TE.orElse((problem) => TE.fromEither(ofOlderBroker(problem))),
        TE.mapLeft((problem) => ({
          ...problem,
          message: `${problem.message}. A broker records --reveal in its audit, so it must run`,
        })),
      )
    : TE.fromEither(fileMasks(dataDir, options));

/**
 * No broker serves the log. Its data directory says what is hidden. Without that, a server on another machine, nothing
 * is known, and a person is told so.
 */
const withoutBroker = (options: MaskOptions): E.Either<Fault, Masks> => {
  if (options.reveal === true) return E.right(Masks.none);
  if (!isNamedByAddress(options)) return fileMasks(resolve(options.data ?? DEFAULT_DATA_DIR), options);
  const text = 'no broker says what is sensitive: no value is hidden';
  if (process.stderr.isTTY) printNote(text, false, {});
  return E.right(Masks.none);
};

/** Whether a broker serves requests there: one question, without waiting for a broker that may start. */
const isServed = async (nc: NatsConnection): Promise<boolean> => {
  try {
    await linkedRequest(nc, OPS.sensitive, '{}', { timeout: PROBE_MS });
    return true;
  } catch (thrown) {
    return silenceOf(thrown) !== 'no-broker';
  }
};

/**
 * What is hidden, as the broker knows it. `what`: the command, for the audit. If a broker serves and does not answer,
 * nothing is shown.
 */
export const askMasks =
  (nc: NatsConnection, options: MaskOptions, what: string): TE.TaskEither<Fault, Masks> =>
  async () => {
    if (!(await isServed(nc))) return withoutBroker(options);
    const { reveal = false } = options;
    return pipe(
      ask<{ readonly marks: Marks; readonly erased?: Readonly<Record<string, readonly string[]>> }>(
        nc,
        OPS.sensitive,
        reveal ? { reveal, what } : {},
      ),
      TE.map(({ marks, erased }) => new Masks(reveal ? {} : marks, reveal, erased)),
      TE.orElse((problem) => TE.fromEither(ofOlderBroker(problem))),
    )();
  };
