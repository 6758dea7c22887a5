import { type Either, isLeft, right } from 'fp-ts/lib/Either.js';
import { ModuleAgents } from '../../store/snapshots/index.js';
import type { AnyModule } from '../../modules/sdk/module-shape.js';
import type { CountTally } from '../../modules/burst/tally.js';
import { verifyLog } from '../../replay/index.js';
import type { Fault } from '../../schemas/errors.js';
import type { Verification } from '../../schemas/verification.js';
import type { Installation } from './installation.js';
import { KINDS, type LoadKind } from './setting.js';
import type { BurstOutcome } from './burst-outcome.js';
import type { BurstView } from './burst-progress.js';

export interface JudgeOptions {
  readonly kind: LoadKind;
  readonly installation: Installation;
  readonly module: AnyModule;
  /** What was acknowledged. */
  readonly ledger: string;
  /** The first record that is the load's: 1 in a log of the test's own, which is then compared with its states too. */
  readonly firstSeq: number;
  /** What agents had been told before. */
  readonly before: Told;
  readonly view: BurstView;
}

type JudgedCounts =
  | 'delivered'
  | 'lost'
  | 'duplicated'
  | 'reordered'
  | 'unanswered'
  | 'otherFindings'
  | 'reasons';

/** What the log says of a run. */
export interface Judgement extends Pick<BurstOutcome, JudgedCounts> {
  readonly verification: Verification;
}

const PAGE = 1_000;

/** What agents have been told, all together. */
export interface Told {
  readonly count: number;
  readonly late: number;
}

export const TOLD_NOTHING: Told = { count: 0, late: 0 };

/** What all agents have been told, as the snapshots have it. */
export const toldAgents = async (dataDir: string, module: string): Promise<Told> => {
  const agents = new ModuleAgents(module, dataDir);
  try {
    let [count, late, after] = [0, 0, '' as string | null];
    while (after !== null) {
      const page = agents.list({ after, limit: PAGE });
      for (const { agent } of page.agents) {
        const tally = agents.get(agent)?.state as CountTally;
        count += tally.count;
        late += tally.late;
      }
      after = page.next;
    }
    return { count, late };
  } finally {
    await agents.close();
  }
};

/**
 * Compares the ledgers of the producers with the log, and the log with the states: what the processes of the load have
 * counted is not asked.
 */
export const judge = async (options: JudgeOptions): Promise<Either<Fault, Judgement>> => {
  const { kind, installation, module, ledger, firstSeq, before, view } = options;
  const { dataDir, operator } = installation;
  view.stage('the log is verified');
  const verified = await verifyLog({
    nc: operator,
    ledger,
    graceMs: 0,
    ...(firstSeq === 1 ? {} : { from: firstSeq }),
    ...(dataDir === undefined || firstSeq > 1 ? {} : { snapshots: { dataDir, modules: [module] } }),
  })();
  if (isLeft(verified)) return verified;
  const { verification } = verified.right;
  const told = dataDir === undefined ? undefined : await toldAgents(dataDir, KINDS[kind].module);
  const inLog = kind === 'events' ? verification.events : verification.results;
  const delivered = told === undefined ? inLog : told.count - before.count;
  // What the log has and no state: neither a finding of the log nor one of the ledger.
  const undelivered = Math.max(0, verification.events - delivered);
  const { missing, duplicated, reordered, unanswered, answeredTwice, findingsTotal } = verification;
  const lost = missing + undelivered;
  const outOfOrder = reordered + (told === undefined ? 0 : told.late - before.late);
  const twice = duplicated + answeredTwice + Math.max(0, delivered - verification.events);
  const otherFindings = findingsTotal - missing - duplicated - reordered - answeredTwice;
  const reasons = [
    ...(lost > 0 ? [`${lost} records are lost`] : []),
    ...(twice > 0 ? [`${twice} records are there twice`] : []),
    ...(outOfOrder > 0 ? [`${outOfOrder} records are out of order`] : []),
    ...(unanswered > 0 ? [`${unanswered} commands have no result`] : []),
    ...(otherFindings > 0 ? [`${otherFindings} other findings: tallystick replay verify lists them`] : []),
    ...verification.findings.slice(0, 5).map(({ seq, detail }) => `record ${seq}: ${detail}`),
  ];
  return right({
    verification,
    delivered,
    lost,
    duplicated: twice,
    reordered: outOfOrder,
    unanswered,
    otherFindings: Math.max(0, otherFindings - unanswered),
    reasons,
  });
};
