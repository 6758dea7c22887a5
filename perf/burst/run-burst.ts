import type { BurstView } from './burst-progress.js';
import { join } from 'node:path';
import { isLeft } from 'fp-ts/lib/Either.js';
import type { Reaper } from '../../system/processes/reaper.js';
import type { AnyModule } from '../../modules/sdk/module-shape.js';
import { FaultError, fault } from '../../schemas/errors.js';
import type { PlannedFault } from './fault-plan.js';
import { FaultsAtWork } from './faults-at-work.js';
import { Fleet } from './fleet.js';
import type { Installation } from './installation.js';
import { type Judgement, judge, TOLD_NOTHING, type Told, toldAgents } from './judge.js';
import { logEnd } from './log-end.js';
import { Measurements, round } from './measurements.js';
import type { BurstOutcome, BurstRun } from './burst-outcome.js';
import { Processes, ROLES, type ProcessRole } from './processes.js';
import { type Rates, BurstSchedule } from './burst-schedule.js';
import { KINDS, type LoadKind, now } from './setting.js';
import type { DoneFault } from '../../schemas/burst.js';
import { type Watch, watchCalls, watchEvents } from './watch-burst.js';
import { pause } from '../../system/async/pause.js';

export interface BurstOptions {
  readonly kind: LoadKind;
  readonly rates: Rates;
  readonly producers: number;
  readonly agents: number;
  /** Of a payload, bytes. */
  readonly size: number;
  readonly faults: readonly PlannedFault[];
  /** Longest time from the burst's end until all is delivered, seconds. */
  readonly maxRecoverySeconds: number;
  /** Files of this run. */
  readonly dir: string;
  /** The code of the module that is loaded, for the states that the log must give. */
  readonly module: AnyModule;
  readonly reaper: Reaper;
  readonly view: BurstView;
}

const MOMENT_MS = 250;
/** From the order until the first record is due: every producer has it by then. */
const LEAD_MS = 300;
/** How long the load may take to be delivered once all has come due; then it is told as it is. */
const CATCH_UP_MS = 180_000;
/** A backlog below this is none, whatever the baseline. */
const LEAST_BACKLOG = 1_000;

const partAt = (atMs: number, { burstFromMs, burstToMs, endMs }: BurstSchedule): string => {
  if (atMs < burstFromMs) return 'baseline';
  if (atMs < burstToMs) return 'burst';
  return atMs < endMs ? 'after' : 'catching up';
};

const watchOf = ({ dataDir, operator }: Installation, kind: LoadKind, seen: Measurements): Watch => {
  const onDelivered = (dueAt: number, latencyMs: number): void => seen.delivered(dueAt, latencyMs);
  if (kind === 'calls') return watchCalls(operator, onDelivered);
  if (dataDir !== undefined) return watchEvents(dataDir, onDelivered);
  throw new FaultError(
    fault('USAGE', 'events are followed by their snapshots: run this where the broker is'),
  );
};

/** Lets the load run until all of it is delivered, or waited for long enough. */
const load = async (
  { rates, view }: BurstOptions,
  { fleet, faults, watch, schedule, seen }: Loading,
): Promise<void> => {
  const beginAt = now() + LEAD_MS;
  seen.begin(beginAt);
  fleet.begin(beginAt);
  faults.start(beginAt + schedule.burstFromMs, fleet);
  let isOver = false;
  let failure: unknown;
  const finished = fleet.done().then(() => {
    isOver = true;
  });
  // A producer that fails ends the run at once.
  finished.catch((error: unknown) => {
    failure = error;
  });
  for (;;) {
    await pause(MOMENT_MS);
    if (failure !== undefined) throw failure;
    const atMs = seen.elapsedMs;
    if (atMs < 0) continue;
    const delivered = watch.delivered(seen.totals.acked, seen.lastSeq);
    const moment = seen.moment(atMs, delivered, isOver, Math.max(LEAST_BACKLOG, rates.baseline));
    faults.delivered(watch.progress());
    view.moment(moment, partAt(atMs, schedule));
    const isDone = isOver && faults.isDone && moment.backlog === 0;
    if (atMs > schedule.endMs && (isDone || atMs > schedule.endMs + CATCH_UP_MS)) return;
  }
};

interface Loading {
  readonly fleet: Fleet;
  readonly faults: FaultsAtWork;
  readonly watch: Watch;
  readonly schedule: BurstSchedule;
  readonly seen: Measurements;
}

/** Runs the load once, with its faults, and judges what the log holds then. Throws {@link FaultError}. */
export const runBurst = async (installation: Installation, options: BurstOptions): Promise<BurstRun> => {
  const { kind, rates, producers, agents, size, dir, view, reaper } = options;
  const { isOwn, dataDir, operator, caller, trustedSeed, url } = installation;
  const { module } = KINDS[kind];
  const firstSeq = isOwn ? 1 : (await logEnd(operator)) + 1;
  const before: Told = isOwn || dataDir === undefined ? TOLD_NOTHING : await toldAgents(dataDir, module);
  const schedule = new BurstSchedule(rates);
  const seen = new Measurements(schedule);
  const watch = watchOf(installation, kind, seen);
  const fleet = new Fleet({
    ...{ kind, producers, rates, agents, size, dir, reaper, url },
    seed: kind === 'events' ? trustedSeed : caller.seed,
    sender: caller.sender,
    onNews: (news, index) => {
      seen.news(news);
      watch.follow(news.samples);
      faults.news(index, news);
    },
  });
  const processes = new Processes(operator, module, () => fleet.pids);
  const faults = new FaultsAtWork({ faults: options.faults, processes, installation, view });
  try {
    view.stage(`${producers} producers connect`);
    await fleet.start();
    await processes.start();
    await load(options, { fleet, faults, watch, schedule, seen });
  } finally {
    await processes.stop();
    await faults.close();
    await fleet.kill();
    await watch.close();
  }
  const ledger = join(dir, 'acknowledged.ndjson');
  const acked = fleet.ledger(ledger);
  const judged = await judge({ ...options, installation, ledger, firstSeq, before });
  if (isLeft(judged)) throw new FaultError(judged.left);
  return {
    moments: seen.moments,
    verification: judged.right.verification,
    seconds: rates.seconds,
    baselineSeconds: rates.baselineSeconds,
    outcome: outcomeOf(options, installation, {
      ...{ acked, seen, offered: schedule.total, judgement: judged.right },
      ...{ cpuSeconds: processes.used, faults: faults.done },
    }),
  };
};

interface Come {
  readonly offered: number;
  /** Lines of the ledger. */
  readonly acked: number;
  readonly seen: Measurements;
  readonly judgement: Judgement;
  readonly cpuSeconds: Readonly<Record<ProcessRole, number>>;
  readonly faults: readonly DoneFault[];
}

const outcomeOf = (
  { kind, producers, agents, size, rates, maxRecoverySeconds }: BurstOptions,
  { durability }: Installation,
  { offered, acked, seen, judgement, cpuSeconds, faults }: Come,
): BurstOutcome => {
  const { delivered, lost, duplicated, reordered, unanswered, otherFindings } = judgement;
  const { achievedRate, recoverySeconds, behind, latencyMs, deliveryMs } = seen;
  const { refused, unknown } = seen.totals;
  const isLate = recoverySeconds === null || recoverySeconds > maxRecoverySeconds;
  const took = recoverySeconds === null ? 'did not come' : `took ${recoverySeconds} s`;
  const reasons = [
    ...(acked === 0 ? ['nothing was acknowledged, so nothing is proved'] : []),
    ...judgement.reasons,
    ...(isLate ? [`recovery ${took}, and ${maxRecoverySeconds} s are allowed`] : []),
  ];
  const cpuUs = ROLES.map((role) => [role, acked === 0 ? 0 : round((cpuSeconds[role] * 1e6) / acked)]);
  return {
    ...{ ok: reasons.length === 0, offered, acked, delivered },
    ...{ lost, duplicated, reordered, unanswered, otherFindings },
    notAcked: { refused, unknown, notSent: Math.max(0, offered - acked - refused - unknown) },
    ...{ achievedRate, offeredRate: rates.rate, recoverySeconds, behind, latencyMs, deliveryMs },
    cpuUsPerRecord: Object.fromEntries(cpuUs) as Record<ProcessRole, number>,
    ...{ faults, durability, kind, producers, agents, size, reasons },
  };
};
