import type { JetStreamManager } from '@nats-io/jetstream';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { NatsConnection } from 'nats';
import type { StartReply, StartRequest } from '../../schemas/control.js';
import { type Fault, FaultError, fault, toFault } from '../../schemas/errors.js';
import { type Durability, commandConsumer, foldConsumer, LOG, PULL_GROUP } from '../../schemas/log.js';
import type { Manifest } from '../../schemas/manifest.js';
import type { OpenCommands } from '../index/open-commands.js';
import type { OwnRecords, WholeOutcomes } from '../index/whole-outcomes.js';
import { Appender } from '../../journal/append/appender.js';
import { type Copy, copyDraft } from '../../journal/append/copy-draft.js';
import type { Draft } from '../../journal/append/draft.js';
import { GROUPING } from '../../journal/append/grouping.js';
import { whileLinked } from '../../link/linked-request.js';
import { type Look, openEpoch } from '../../journal/epochs/epoch.js';
import type { WholeLog } from '../log/whole-log.js';
import { failPoint } from '../../system/processes/fail-point.js';
import { type EpochEnd, isWrittenBy, ModuleRecovery } from '../../journal/append/recovery.js';
import { judgeCopies, type RefusedCopy } from './judge-copies.js';
import { ensureCommandConsumer } from './command-consumer.js';
import { addFoldConsumer, countReadable, ownPast } from './own-past.js';

const jetstream = <A>(nc: NatsConnection, work: () => Promise<A>): TE.TaskEither<Fault, A> =>
  TE.tryCatch(
    () => whileLinked(nc, work),
    (error) => toFault(error, 'LOG_UNAVAILABLE'),
  );

/** A copy as the module itself would have stored it: the sender of a command is part of its subject in the log. */
const storedCopy = (module: string, copy: Copy): Draft => {
  const draft = copyDraft(copy);
  return draft.subject.startsWith('cmd.') ? { ...draft, subject: `${draft.subject}.${module}` } : draft;
};

export interface ModuleEpoch {
  readonly epoch: number;
  readonly fence: number;
  /** Number of the module's first own record: the copies that were missing came before it. */
  readonly next: number;
  /** The lowest command without a result, or the fence when there is none. */
  readonly resumeFrom: number;
  readonly republished: number;
  /** Copies that its results promise and that it may not have stored: they are not stored. */
  readonly refused: readonly RefusedCopy[];
}

export interface ModuleStartContext {
  readonly nc: NatsConnection;
  readonly jsm: JetStreamManager;
  /** The broker's own epoch. */
  readonly under: number;
  /** Identity of the log. */
  readonly logId: string;
  readonly durability: Durability;
  readonly whole: Pick<WholeLog, 'checked' | 'isDamagedFrom'>;
}

/** What the index of the log knows of a module's past. */
export interface KnownPast {
  /** Whether the index has read up to a sequence, in time. */
  readonly reachedWithin: (seq: number, ms: number) => Promise<boolean>;
  readonly commands: Pick<OpenCommands, 'lowestOf' | 'countOf'>;
  readonly whole: Pick<WholeOutcomes, 'of' | 'set'>;
}

/** The index reads what it has missed within this time, or the start is tried again. */
const INDEX_WAIT_MS = 30_000;

/** A module that this package hosts acknowledges a command when all that it caused is stored. */
const acksWhole = ({ start }: Manifest): boolean => 'entry' in start;

/**
 * From where on outcomes may lack copies. What a module acknowledges is its own word: many programs do so on
 * delivery. Only where the process since the last repair was a host of this package does it say more than where that
 * repair ended.
 */
const repairFrom = ({ whole, since }: OwnRecords, manifest: Manifest, acked: number, fence: number): Look => {
  const { seq, acksWhole: isTrue } = whole ?? { seq: 0, acksWhole: acksWhole(manifest) };
  const knownFrom = Math.min((isTrue ? Math.max(seq, acked) : seq) + 1, fence);
  // What others wrote before the module's own first record is no business of its start: it may be millions of records.
  return { fromSeq: Math.min(Math.max(knownFrom, since ?? fence), fence), knownFrom };
};

/**
 * Shuts out what ran as this module before, learns from the index what is unanswered and from the log which copies of
 * decided outcomes are missing, and stores those under the new epoch (I4). The broker does it, not the module, so
 * that a module in another language need not, and so that copies are there also when the module stays down.
 */
export const openModuleEpoch = (
  { nc, jsm, under, durability }: ModuleStartContext,
  past: KnownPast,
  manifest: Manifest,
  known?: EpochEnd,
): TE.TaskEither<Fault, ModuleEpoch> => {
  const module = manifest.name;
  const recovery = new ModuleRecovery(module);
  return pipe(
    jetstream(nc, async () => {
      const consumer = await ensureCommandConsumer(jsm, module);
      return consumer.ack_floor.stream_seq;
    }),
    TE.chain((acked) =>
      openEpoch({
        nc,
        producer: module,
        under,
        lookFrom: async (fence) => {
          if (!(await past.reachedWithin(fence, INDEX_WAIT_MS)))
            throw new FaultError(fault('LOG_UNAVAILABLE', `the log was not read up to ${fence} in time`));
          return repairFrom(past.whole.of(module), manifest, acked, fence);
        },
        prefixes: ['cmd.', `res.${module}.`, `evt.${module}.`, `step.${module}.`],
        believes: (message) => isWrittenBy(message, module),
        ...(known === undefined ? {} : { known }),
        keepsStored: false,
        visit: (message) => recovery.add(message),
      }),
    ),
    TE.chain(({ epoch, fence }) =>
      TE.tryCatch(
        async () => {
          const judged = await judgeCopies(nc, manifest, [...recovery.missing()])();
          if (E.isLeft(judged)) throw new FaultError(judged.left);
          const { allowed, refused } = judged.right;
          const grouping = GROUPING[durability];
          const appender = new Appender(
            { nc, producer: module, epoch, next: 1, grouping },
            (reason, unsettled) => {
              for (const { settle } of unsettled) settle(E.left(reason));
            },
          );
          const storing = appender.appendAll(allowed.map((copy) => storedCopy(module, copy)))();
          failPoint('repair.appended');
          const stored = await storing;
          failPoint('repair.acknowledged');
          appender.close();
          if (E.isLeft(stored)) throw new FaultError(stored.left.fault);
          past.whole.set(module, { seq: fence, acksWhole: acksWhole(manifest) });
          const resumeFrom = Math.min(past.commands.lowestOf(module) ?? fence, fence);
          return {
            epoch,
            fence,
            next: allowed.length + 1,
            resumeFrom,
            republished: allowed.length,
            refused,
          };
        },
        (error) => toFault(error, 'LOG_UNAVAILABLE'),
      ),
    ),
  );
};

/** The module has read its past: that consumer is not needed any more. */
export const endFold = ({ nc, jsm }: ModuleStartContext, module: string): TE.TaskEither<Fault, boolean> =>
  jetstream(nc, () => jsm.consumers.delete(LOG, foldConsumer(module)));

/** Answers a module that asks to start: a new epoch, its commands from the first unanswered one, its past to fold. */
export const startModule = (
  context: ModuleStartContext,
  past: KnownPast,
  manifest: Manifest,
  request: StartRequest,
): TE.TaskEither<Fault, StartReply & Pick<ModuleEpoch, 'republished' | 'refused'>> =>
  pipe(
    openModuleEpoch(context, past, manifest, request.previous),
    TE.chain(({ epoch, fence, next, resumeFrom, republished, refused }) =>
      jetstream(context.nc, async () => {
        const { jsm } = context;
        const consumer = commandConsumer(manifest.name);
        // The process before is gone: who pulls now must not wait until its pin runs out.
        await jsm.consumers.unpin(LOG, consumer, PULL_GROUP);
        await jsm.consumers.reset(LOG, consumer, resumeFrom);
        failPoint('start.consumer-reset');
        const isOfThisLog = request.logId === context.logId && request.snapshotSeq <= fence;
        const snapshotSeq = isOfThisLog ? request.snapshotSeq : 0;
        // Results above the first unanswered command say which of the commands that come again are answered.
        const { first } = past.whole.of(manifest.name);
        // A read model folds all of the log, and has no commands.
        const isView = manifest.folds !== undefined;
        const isFolded = snapshotSeq > 0 || isView ? snapshotSeq : (first ?? fence + 1) - 1;
        const behind = isView ? isFolded : Math.min(isFolded, resumeFrom);
        // What the server says of a damaged part of the log is not to be built on.
        const waiting = context.whole.isDamagedFrom(behind + 1) ? 0 : past.commands.countOf(manifest.name);
        const read = isView
          ? { from: behind + 1 }
          : await ownPast(context.nc, manifest.name, { behind, fence, waiting });
        const pending = await addFoldConsumer(jsm, manifest, read);
        if (snapshotSeq === 0 && first !== undefined) {
          const loss = await context.whole.checked(first);
          if (loss !== undefined) throw new FaultError(fault(loss.code, loss.message));
        }
        // The server counts a damaged record that it does not deliver: who waits for so many would wait for ever.
        const foldRecords = context.whole.isDamagedFrom(read.from)
          ? await countReadable(context.nc, manifest, { last: epoch, ...read })
          : pending;
        return {
          epoch,
          next,
          resumeFrom,
          snapshotSeq,
          foldConsumer: foldConsumer(manifest.name),
          foldRecords,
          logId: context.logId,
          durability: context.durability,
          republished,
          refused,
        };
      }),
    ),
  );
