import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type { NatsConnection } from 'nats';
import { type LogApi, logEnds } from '../../journal/read/reader-api.js';
import { type Fault, fault, toFault } from '../../schemas/errors.js';
import { type Manifest, schemaOf } from '../../schemas/manifest.js';
import type { ConfigValues } from '../../schemas/module-config.js';
import { firstAt, lastAt } from '../fold/fold-places.js';
import type { Item } from './runner-messages.js';
import { type ItemBatch, type ItemRange, recordedItems } from './recorded-items.js';
import { type DiffReport, differenceOf, type OutcomeDifference } from './report.js';
import { Runner } from './runner.js';

/** A version of a module on disk. */
export interface ModuleVersion {
  readonly dir: string;
  readonly manifestPath: string;
  readonly manifest: Manifest;
}

/** Which commands other code handles, and on which states. */
export interface DiffOptions {
  /** A connection that may read the log. */
  readonly nc: NatsConnection;
  /** The code to handle commands with, of the module whose commands they are. */
  readonly version: ModuleVersion;
  /** Only the commands of one agent; `''` is the module itself. Default: all. */
  readonly agent?: string | undefined;
  /** First command: a sequence, or a time. Default: the beginning. */
  readonly from?: number | Date | undefined;
  /** Last command: a sequence, or a time. Default: the end of the log. */
  readonly to?: number | Date | undefined;
  /** Decide each command on what this code made of those before it, instead of on what is recorded. */
  readonly cascade?: boolean | undefined;
  /** The configuration that handlers see, by key; the defaults of the schema hold for the others. Default: none. */
  readonly config?: ConfigValues | undefined;
  /** Default `$JS.API`. */
  readonly apiPrefix?: string;
  /** How long one decision may take before its process is taken to hang, milliseconds. Default 10,000. */
  readonly hangMs?: number;
  /** The data directory of the broker. The code runs in a cage, and reads nothing there but itself. */
  readonly dataDir?: string | undefined;
  /** Called for each command that came out otherwise, in order; what is awaited holds up the next. */
  readonly onDifference?: (difference: OutcomeDifference) => void | Promise<void>;
  /** Called now and then with how far the log was read, and where it ends. */
  readonly onProgress?: (seq: number, lastSeq: number) => void;
}

/** Records that go to the process at a time. */
const BATCH = 512;

const NO_COUNTS = { same: 0, different: 0, newlyRejected: 0, newlyAccepted: 0, stopped: 0, notDecided: 0 };

/** Gives items to the process, so many at a time, while more are read; and counts. */
class ItemFeeder {
  readonly counts = { ...NO_COUNTS };
  #waiting: Item[] = [];
  #running: Promise<Either<Fault, void>> = Promise.resolve(right(undefined));

  constructor(
    private readonly runner: Runner,
    private readonly onDifference: DiffOptions['onDifference'],
  ) {}

  /** Left: why an earlier one failed. */
  async take({ items }: ItemBatch): Promise<Either<Fault, void>> {
    this.#waiting.push(...items);
    while (this.#waiting.length >= BATCH) {
      const before = await this.#running;
      if (isLeft(before)) return before;
      this.#running = this.#run(this.#waiting.splice(0, BATCH));
    }
    return right(undefined);
  }

  async finish(): Promise<Either<Fault, void>> {
    const before = await this.#running;
    return isLeft(before) ? before : this.#run(this.#waiting);
  }

  async #run(items: readonly Item[]): Promise<Either<Fault, void>> {
    try {
      const verdicts = await this.runner.take(items);
      if (isLeft(verdicts)) return verdicts;
      const again = items.filter((item) => item.again !== undefined);
      for (const [i, verdict] of verdicts.right.entries()) {
        this.counts[verdict.kind] += 1;
        const difference = differenceOf(again[i] as Item, verdict);
        if (difference !== undefined) await this.onDifference?.(difference);
      }
      return right(undefined);
    } catch (thrown) {
      return left(toFault(thrown));
    }
  }
}

const entryOf = ({ manifest: { name, start } }: ModuleVersion): Either<Fault, string> => {
  if ('entry' in start) return right(start.entry);
  const text = `the code of ${name} cannot be run here: it is a program in another language`;
  return left(fault('MODULE_CODE_UNAVAILABLE', text));
};

const rangeOf = async (options: DiffOptions): Promise<Either<Fault, ItemRange>> => {
  const { nc, version, agent, from = 1, to = Number.MAX_SAFE_INTEGER, apiPrefix = '$JS.API' } = options;
  const api: LogApi = { nc, prefix: apiPrefix };
  const ends = await logEnds(api);
  if (isLeft(ends)) return left(ends.left.fault);
  const { lastSeq } = ends.right;
  const fromSeq = await firstAt(api, from, ends.right);
  if (isLeft(fromSeq)) return fromSeq;
  const toSeq = await lastAt(api, to, ends.right);
  if (isLeft(toSeq)) return toSeq;
  const { name: module } = version.manifest;
  return right({ api, module, agent, fromSeq: fromSeq.right, toSeq: toSeq.right, lastSeq });
};

const compare = async (options: DiffOptions): Promise<Either<Fault, DiffReport>> => {
  const begun = performance.now();
  const { version, cascade = false, config = {}, hangMs, dataDir, onDifference, onProgress } = options;
  const { dir, manifestPath, manifest } = version;
  const entry = entryOf(version);
  if (isLeft(entry)) return entry;
  const range = await rangeOf(options);
  if (isLeft(range)) return range;
  const { fromSeq, toSeq, lastSeq } = range.right;
  await using runner = new Runner({
    ...{ dir, entry: entry.right, manifest, manifestPath, name: manifest.name, cascade, config },
    ...(hangMs === undefined ? {} : { hangMs }),
    secret: dataDir,
  });
  // Code that does not load is told, also where there is nothing to run it on.
  const loaded = await runner.take([]);
  if (isLeft(loaded)) return loaded;
  const comparison = new ItemFeeder(runner, onDifference);
  const batches = recordedItems(range.right);
  let next = await batches.next();
  while (next.done !== true) {
    const taken = await comparison.take(next.value);
    if (isLeft(taken)) {
      await batches.return(0);
      return taken;
    }
    onProgress?.(next.value.seq, lastSeq);
    next = await batches.next();
  }
  const finished = await comparison.finish();
  if (isLeft(finished)) return finished;
  const { counts } = comparison;
  return right({
    module: manifest.name,
    version: manifest.version,
    schema: schemaOf(manifest),
    from: fromSeq,
    to: toSeq,
    cascade,
    commands: Object.values(counts).reduce((sum, count) => sum + count, 0),
    ...counts,
    unanswered: next.value,
    seconds: (performance.now() - begun) / 1_000,
  });
};

/**
 * Handles recorded commands of a module again, by another version of its code, and compares what comes of it with
 * what is recorded. By default each is decided on the state that the recorded events give, folded by this code: one
 * that comes out otherwise does not change those behind it. No call is made: handlers get the recorded answers. Left:
 * MODULE_CODE_UNAVAILABLE; FOLD_FAILED or SCHEMA_TOO_NEW where this code cannot fold what is recorded, which its
 * start in production could not either; and why the log cannot be read.
 */
export const diffModule =
  (options: DiffOptions): TaskEither<Fault, DiffReport> =>
  async () => {
    try {
      return await compare(options);
    } catch (thrown) {
      return left(toFault(thrown));
    }
  };
