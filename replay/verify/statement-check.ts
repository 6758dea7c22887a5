import type { Statement } from '../../schemas/verification.js';
import { type Segment, SEGMENT } from './digest.js';
import type { Findings } from './findings.js';

/** What was read now of the range that a certificate is about. */
export interface ReadAgain {
  readonly digest: string;
  readonly segments: readonly Segment[];
  /** Where the log ends. */
  readonly lastSeq: number;
  readonly counts: Pick<Statement, 'records' | 'commands' | 'results' | 'events' | 'epochs'>;
}

const COUNTS = ['records', 'commands', 'results', 'events', 'epochs'] as const;

const lastOf = (seq: number, lastSeq: number): number =>
  Math.min(lastSeq, (Math.floor(seq / SEGMENT) + 1) * SEGMENT - 1);

/** Compares a range with its certificate, part by part, and reports the parts that differ. */
export const compareWith = (findings: Findings, then: Statement, now: ReadAgain): void => {
  if (now.lastSeq < then.lastSeq) {
    const detail = `the certificate of ${then.issuedAt} goes up to ${then.lastSeq}, and the log ends at ${now.lastSeq}`;
    findings.add('missing', now.lastSeq + 1, '', detail);
  }
  if (now.digest === then.digest) return;
  const before = new Map(then.segments);
  const after = new Map(now.segments);
  let found = 0;
  for (const seq of [...new Set([...before.keys(), ...after.keys()])].sort((a, b) => a - b)) {
    if (before.get(seq) === after.get(seq)) continue;
    found += 1;
    const which = `of ${seq} to ${lastOf(seq, then.lastSeq)}, at least one record`;
    const [is, was] = [after.get(seq), before.get(seq)].map((digest) => digest ?? 'none');
    findings.add(
      'altered',
      seq,
      '',
      `${which} is not what it was when the certificate was issued, ${then.issuedAt}: the digest is ${is} and was ${was}`,
    );
  }
  // A statement whose parts do not fit its digest was signed so.
  if (found === 0) {
    const detail = `the digest is ${now.digest}, and the certificate has ${then.digest}`;
    findings.add('altered', then.firstSeq, '', detail);
  }
  for (const what of COUNTS) {
    if (now.counts[what] === then[what]) continue;
    const detail = `${now.counts[what]} ${what} where the certificate of ${then.issuedAt} has ${then[what]}`;
    findings.add('altered', then.firstSeq, '', detail);
  }
};
