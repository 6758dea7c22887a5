import { AckPolicy, type ConsumerConfig, DeliverPolicy, type JetStreamManager } from '@nats-io/jetstream';
import * as E from 'fp-ts/lib/Either.js';
import type { NatsConnection } from 'nats';
import { FaultError } from '../../schemas/errors.js';
import { foldedSubjects } from '../../schemas/folded-events.js';
import type { Manifest } from '../../schemas/manifest.js';
import { foldConsumer, LOG } from '../../schemas/log.js';
import { readLogBatches } from '../../journal/read/reader.js';
import { type ApiFailure, lastMatch, nextMatch } from '../../journal/read/reader-api.js';
import { PINNED } from './command-consumer.js';

/** Which part of the log a module reads when it starts, sequences. */
export interface OwnPast {
  readonly from: number;
  /** The last record that it reads; undefined: all up to its epoch. */
  readonly last?: number;
}

/** So many waiting commands are read as fast as the server can be asked where the own records lie. */
const FEW_WAITING = 1_000;

const orThrow = <A>(asked: E.Either<ApiFailure, A>): A => {
  if (E.isLeft(asked)) throw new FaultError(asked.left.fault);
  return asked.right;
};

/**
 * Where a module finds the results and events that it has to fold, behind a sequence. It reads its commands along
 * with them, so where many commands wait this asks the server for the first and the last own record: a module that
 * has answered none of them reads none of them. nats-server 2.15.1 finds 6,000 records a second of a module with
 * 10,000 agents. To be asked once the epoch is open: the epoch before can store nothing more.
 */
export const ownPast = async (
  nc: NatsConnection,
  module: string,
  { behind, fence, waiting }: { readonly behind: number; readonly fence: number; readonly waiting: number },
): Promise<OwnPast> => {
  if (waiting <= FEW_WAITING) return { from: behind + 1 };
  const api = { nc, prefix: '$JS.API' };
  const own = [`res.${module}.>`, `evt.${module}.>`];
  const last = orThrow(await lastMatch(api, own)) ?? 0;
  // Events of trusted programs may come after the fence: no module may miss those.
  if (last <= behind) return { from: fence + 1, last: fence };
  const first = orThrow(await nextMatch(api, own, behind + 1)) ?? last;
  return { from: Math.min(first, fence + 1), last };
};

type PastManifest = Pick<Manifest, 'name' | 'folds'>;

const SECOND_NS = 1_000_000_000;

const FOLD_IDLE_NS = 120 * SECOND_NS;

/** What a module reads at its start: its own records, or the events that it folds. */
export const pastFilters = ({ name, folds }: PastManifest): readonly string[] =>
  // One filter, although commands are not folded: to find the next record for several, nats-server 2.15.1 goes
  // through the subjects of a block, which with 10,000 agents takes milliseconds a record. Of others it gets no more
  // than an operator has granted.
  folds === undefined ? [`*.${name}.>`] : foldedSubjects(folds);

const foldConsumerConfig = (manifest: PastManifest, fromSeq: number): Partial<ConsumerConfig> => ({
  name: foldConsumer(manifest.name),
  description: `past of module ${manifest.name}, read at its start`,
  ack_policy: AckPolicy.None,
  deliver_policy: DeliverPolicy.StartSequence,
  opt_start_seq: fromSeq,
  filter_subjects: [...pastFilters(manifest)],
  ...PINNED,
  mem_storage: true,
  num_replicas: 1,
  inactive_threshold: FOLD_IDLE_NS,
});

/** Makes the consumer that the module reads its past by; how many records that are. */
export const addFoldConsumer = async (
  jsm: JetStreamManager,
  manifest: PastManifest,
  { from, last }: OwnPast,
): Promise<number> => {
  const pendingFrom = async (seq: number): Promise<number> => {
    await jsm.consumers.delete(LOG, foldConsumer(manifest.name)).catch(() => undefined);
    return (await jsm.consumers.add(LOG, foldConsumerConfig(manifest, seq))).num_pending;
  };
  // In this order: what comes in between is behind the epoch, where reading ends in any case.
  const behind = last === undefined ? 0 : await pendingFrom(last + 1);
  return Math.max(0, (await pendingFrom(from)) - behind);
};

/** Records of a module's past that are really there: the server counts a damaged one too, and does not deliver it. */
export const countReadable = async (
  nc: NatsConnection,
  manifest: PastManifest,
  { from, last }: Required<OwnPast>,
): Promise<number> => {
  let count = 0;
  const range = { filters: pastFilters(manifest), fromSeq: from, toSeq: last, headersOnly: true };
  for await (const batch of readLogBatches(nc, range)) count += batch.length;
  return count;
};
