import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type { NatsConnection } from 'nats';
import { readLogBatches } from '../../journal/read/reader.js';
import { type LogApi, type LogEnds, logEnds, nextMatch } from '../../journal/read/reader-api.js';
import { wireOf } from '../../journal/wire/stored-message.js';
import { type Fault, fault, toFault } from '../../schemas/errors.js';
import { isProducerName } from '../../schemas/names.js';
import { epochSubject } from '../../schemas/subjects.js';
import type { Statement, Verification } from '../../schemas/verification.js';
import type { Segment } from './digest.js';
import { Findings, LISTED_FINDINGS } from './findings.js';
import { Ledger } from './ledger.js';
import { LogVerifier } from './log-verifier.js';
import { type LogPlace, type SequenceRange, sequencesOf } from './range.js';
import { verifyHearings } from './verify-hearings.js';
import { verifyRestarts } from './verify-restarts.js';
import { type SnapshotsToVerify, verifySnapshots } from './verify-snapshots.js';
import { compareWith } from './statement-check.js';
import { summary } from './summary.js';
import { addAltered, addAstray, addMissingCopies, addUnanswered, behindSleepers } from './unfinished.js';

/** What of the log to verify. */
export interface VerifyOptions {
  readonly nc: NatsConnection;
  /** Default `$JS.API`. */
  readonly apiPrefix?: string;
  /** First record, or its time; default: the first of the log. */
  readonly from?: LogPlace | undefined;
  /** Last record, or its time; default: the last that is there when reading begins. */
  readonly to?: LogPlace | undefined;
  /**
   * How old a command without a result must be to be a finding, milliseconds; younger ones wait. So do copies and
   * numbers that are left out. Default 30,000.
   */
  readonly graceMs?: number | undefined;
  /** File of what a producer outside says was acknowledged to it: NDJSON, docs/reference/protocol.md#ledgers. */
  readonly ledger?: string | undefined;
  /** Compares snapshots too; only a range that is the whole log says what they must be. */
  readonly snapshots?: SnapshotsToVerify | undefined;
  /**
   * What was certified of this log before: that range is read, and what differs is found. In the place of from and
   * to.
   */
  readonly against?: Statement | undefined;
  /** Called now and then with the last sequence that was read. */
  readonly onProgress?: (seq: number, toSeq: number) => void;
}

/** A verification, and the digests of its parts, which a certificate states. */
export interface Verified {
  readonly verification: Verification;
  readonly segments: readonly Segment[];
}

const DEFAULT_GRACE_MS = 30_000;

/** The names that have no epoch before the commands that they sent, in a range that may begin behind it. */
const checkStrangers = async (api: LogApi, verifier: LogVerifier): Promise<Either<Fault, void>> => {
  for (const sender of verifier.strangers()) {
    // No account can have a name that is none.
    if (verifier.fromSeq > 1 && isProducerName(sender.name)) {
      const first = await nextMatch(api, [epochSubject(sender.name)], 1);
      if (isLeft(first)) return left(first.left.fault);
      if (first.right !== undefined && first.right < sender.firstSent) continue;
    }
    verifier.stranger(sender);
  }
  return right(undefined);
};

/** Reads the range, and behind it as far as something of it is open. */
const read = async (
  { nc, onProgress }: VerifyOptions,
  api: LogApi,
  verifier: LogVerifier,
  { fromSeq, toSeq }: SequenceRange,
  { lastSeq }: LogEnds,
): Promise<void> => {
  let hasEnded = fromSeq > toSeq;
  const end = (): void => {
    hasEnded = true;
    verifier.rangeEnded(toSeq, toSeq === lastSeq);
  };
  if (!hasEnded) {
    const range = { fromSeq, toSeq: lastSeq, apiPrefix: api.prefix };
    for await (const batch of readLogBatches(nc, range)) {
      for (const message of batch) {
        const record = wireOf(message);
        if (message.seq <= toSeq) verifier.add(record);
        else {
          if (!hasEnded) end();
          verifier.addBehind(record);
        }
      }
      const last = batch.at(-1)?.seq ?? 0;
      onProgress?.(Math.min(last, toSeq), toSeq);
      if (last >= toSeq && !verifier.isOpen) break;
    }
  }
  if (!hasEnded) end();
};

const rangeOf = async (
  { from, to, against }: VerifyOptions,
  api: LogApi,
  ends: LogEnds,
): Promise<Either<Fault, SequenceRange>> => {
  if (against === undefined) return sequencesOf(api, ends, from, to);
  if (from !== undefined || to !== undefined)
    return left(fault('USAGE', 'a certificate says which range it is about: give no other'));
  if (against.logId !== ends.logId) {
    const text = `the certificate is of the log ${against.logId}, and this is ${ends.logId}`;
    return left(fault('LOG_REPLACED', text));
  }
  return right({ fromSeq: against.firstSeq, toSeq: Math.min(against.lastSeq, ends.lastSeq) });
};

const verify = async (
  options: VerifyOptions,
  api: LogApi,
  ledger: Ledger | undefined,
): Promise<Either<Fault, Verified>> => {
  const begun = performance.now();
  const ends = await logEnds(api);
  if (isLeft(ends)) return left(ends.left.fault);
  const found = await rangeOf(options, api, ends.right);
  if (isLeft(found)) return found;
  const range = found.right;
  const nowMs = Date.now();
  const findings = new Findings();
  ledger?.skipTo(range.fromSeq);
  const verifier = new LogVerifier(findings, range.fromSeq, ledger);
  await read(options, api, verifier, range, ends.right);
  const { waiting, late, missing, asleep } = verifier.finish(nowMs, options.graceMs ?? DEFAULT_GRACE_MS);
  const unanswered = verifier.answers.open.size;
  const behind = await behindSleepers(api, late, asleep);
  await addUnanswered(
    api,
    findings,
    late.filter((seq) => !behind.has(seq)),
    nowMs,
  );
  await addMissingCopies(api, findings, missing);
  await addAltered(api, findings, verifier.copies.differing);
  await addAstray(api, findings, verifier.answers.astray);
  const isWhole = range.fromSeq <= 1 && range.toSeq === ends.right.lastSeq;
  await verifyRestarts(api, range.fromSeq, findings, verifier.restarts.seen);
  if (isWhole) await verifyHearings(options.nc, api.prefix, range.toSeq, findings);
  const strangers = await checkStrangers(api, verifier);
  if (isLeft(strangers)) return strangers;
  await ledger?.report(findings);
  const { digest, segments } = verifier.digest();
  const { records, commands, results, events, epochs } = verifier;
  if (options.against !== undefined) {
    const counts = { records, commands, results, events, epochs };
    compareWith(findings, options.against, { digest, segments, lastSeq: ends.right.lastSeq, counts });
  }
  const seconds = (performance.now() - begun) / 1_000;
  const notes: string[] = [];
  const states =
    options.snapshots === undefined || !isWhole
      ? { states: [], notes: [] }
      : await verifySnapshots(options.nc, api.prefix, options.snapshots, findings);
  if (options.snapshots !== undefined && !isWhole)
    notes.push('snapshots were not compared: a part of the log does not say what they must be');
  const before = verifier.answers.before + verifier.copies.before;
  if (before > 0)
    notes.push(`${before} results and copies belong to commands before the range: nothing is said of them`);
  if (ledger !== undefined && ledger.outside > 0)
    notes.push(`${ledger.outside} lines of the ledger are about sequences outside the range`);
  const verification = summary({
    verifier,
    findings,
    firstSeq: range.fromSeq,
    lastSeq: Math.max(range.toSeq, range.fromSeq - 1),
    logId: ends.right.logId,
    digest,
    unanswered,
    waiting,
    before,
    ledger: ledger?.lines ?? 0,
    seconds,
    states: states.states,
    notes: [...notes, ...states.notes],
  });
  return right({ verification, segments });
};

/**
 * Reads a range of the log once, in order and in bounded memory, and lays its halves together: numbers of producers,
 * results and commands, copies and decisions, sequences, a ledger of what was acknowledged, snapshots and the fold.
 * What is wrong is a finding, of which the first 1,000 are listed and all are counted. Left: LEDGER_INVALID,
 * LOG_REPLACED for a statement about another log, USAGE, and why the log cannot be read.
 */
export const verifyLog =
  (options: VerifyOptions): TaskEither<Fault, Verified> =>
  async () => {
    const api: LogApi = { nc: options.nc, prefix: options.apiPrefix ?? '$JS.API' };
    const ledger =
      options.ledger === undefined ? undefined : await Ledger.read(options.ledger, LISTED_FINDINGS);
    if (ledger !== undefined && isLeft(ledger)) return ledger;
    using read = ledger?.right;
    try {
      return await verify(options, api, read);
    } catch (thrown) {
      return left(toFault(thrown));
    }
  };
