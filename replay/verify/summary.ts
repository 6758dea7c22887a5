import type { Verification } from '../../schemas/verification.js';
import type { Findings } from './findings.js';
import type { LogVerifier } from './log-verifier.js';

/** What is known at the end besides the counts of the verifier. */
type Known = Pick<
  Verification,
  | 'firstSeq'
  | 'lastSeq'
  | 'logId'
  | 'digest'
  | 'unanswered'
  | 'waiting'
  | 'before'
  | 'ledger'
  | 'seconds'
  | 'states'
  | 'notes'
>;

/** The object that programs match on, its keys in the order that is documented. */
export const summary = ({
  verifier,
  findings,
  ...known
}: Known & { readonly verifier: LogVerifier; readonly findings: Findings }): Verification => ({
  ok: findings.total === 0,
  records: verifier.records,
  firstSeq: known.firstSeq,
  lastSeq: known.lastSeq,
  commands: verifier.commands,
  events: verifier.events,
  results: verifier.results,
  producers: verifier.producers,
  missing: findings.of('missing'),
  duplicated: findings.of('duplicated'),
  reordered: findings.of('reordered'),
  unanswered: known.unanswered,
  answeredTwice: findings.of('answeredTwice'),
  orphanEvents: findings.of('orphanEvent'),
  unattributed: findings.of('unattributed'),
  stateMismatches: findings.of('stateMismatch'),
  digest: known.digest,
  seconds: known.seconds,
  findings: findings.listed.toSorted((a, b) => a.seq - b.seq),
  findingsTotal: findings.total,
  forbidden: findings.of('forbidden'),
  callsDiffer: findings.of('callsDiffer'),
  cancelDiffers: findings.of('cancelDiffers'),
  altered: findings.of('altered'),
  epochs: verifier.epochs,
  waiting: known.waiting,
  before: known.before,
  ledger: known.ledger,
  states: known.states,
  notes: known.notes,
  logId: known.logId,
});
