import { join } from 'node:path';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { NatsConnection } from 'nats';
import { type LogApi, logEnds } from '../../journal/read/reader-api.js';
import { readLog } from '../../journal/read/reader.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { foldedSubjects } from '../../schemas/folded-events.js';
import type { Manifest } from '../../schemas/manifest.js';
import { causeOf } from '../../schemas/record.js';
import { KeptSeals } from '../../store/seals/kept-seals.js';
import { whyForeign } from '../../store/snapshots/folded-elsewhere.js';
import type { ModuleAgents } from '../../store/snapshots/index.js';
import { lastAt } from '../fold/fold-places.js';
import type { RunnerOptions } from './runner.js';

/** A module whose past is folded by its code in a cage. */
export interface CagedModuleQuery {
  /** A connection that may read the log. */
  readonly nc: NatsConnection;
  readonly agents: ModuleAgents;
  readonly manifest: Manifest;
  /** The directory of the module. */
  readonly dir: string;
}

/** What a fold begins with. */
export interface CagedStart {
  readonly api: LogApi;
  /** The last record that counts. The snapshots know all that changed an agent up to it. */
  readonly at: number;
  readonly runner: RunnerOptions;
}

const SNAPSHOTS_MS = 5_000;

const unavailable = (name: string, why: string): Fault =>
  fault('MODULE_CODE_UNAVAILABLE', `the past of ${name} cannot be folded here: ${why}`);

/**
 * The last record of a stretch that may change an agent; 0: none does. Snapshots do not move with other records, and
 * with the events that a result has already.
 */
const lastToFold = async (
  nc: NatsConnection,
  { name, folds }: Manifest,
  fromSeq: number,
  toSeq: number,
): Promise<number> => {
  if (fromSeq > toSeq) return 0;
  const filters = folds === undefined ? [`res.${name}.>`, `evt.${name}.>`] : foldedSubjects(folds);
  let last = 0;
  for await (const message of readLog(nc, { filters, fromSeq, toSeq, headersOnly: true })) {
    const isCopy =
      folds === undefined && message.subject.startsWith('evt.') && causeOf(message) !== undefined;
    if (!isCopy) last = message.seq;
  }
  return last;
};

/**
 * Finds how a module is folded up to a place. MODULE_CODE_UNAVAILABLE, SNAPSHOTS_UNAVAILABLE, SNAPSHOTS_BEHIND, and why
 * the log cannot be read.
 */
export const cagedStart = async (
  { nc, agents, manifest, dir }: CagedModuleQuery,
  place: number | Date,
): Promise<Either<Fault, CagedStart>> => {
  const { start, name } = manifest;
  if (!('entry' in start)) return left(unavailable(name, 'it is a program in another language'));
  if (new KeptSeals(name, agents.dataDir).now() !== undefined)
    return left(unavailable(name, 'its states are encrypted; `tallystick agent get --at` has the keys'));
  const api: LogApi = { nc, prefix: '$JS.API' };
  // Before the end of the log: snapshots do not stand behind that.
  const stands = agents.position;
  const ends = await logEnds(api);
  if (isLeft(ends)) return left(ends.left.fault);
  const at = await lastAt(api, place, ends.right);
  if (isLeft(at)) return at;
  const why = stands === undefined ? undefined : whyForeign(stands, ends.right, { manifest });
  if (why !== undefined) return left(fault('SNAPSHOTS_UNAVAILABLE', why));
  // All that changed an agent is known by its sequence then, so nothing else of the log is read.
  const last = await lastToFold(nc, manifest, (stands?.seq ?? 0) + 1, at.right);
  const reached = await agents.atLeast(last, { timeoutMs: SNAPSHOTS_MS })();
  if (isLeft(reached)) return reached;
  const runner = {
    ...{ dir, entry: start.entry, manifest, name, cascade: false },
    manifestPath: join(dir, 'manifest.json'),
    secret: agents.dataDir,
  };
  return right({ api, at: at.right, runner });
};
