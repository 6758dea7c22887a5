import { join } from 'node:path';
import { isLeft } from 'fp-ts/lib/Either.js';
import type { Reaper } from '../../broker/process/reaper.js';
import { FaultError, fault } from '../../schemas/errors.js';
import type { AnyModule } from '../../modules/sdk/module.js';
import { logEnd } from './log-end.js';
import { FaultsAtWork } from './faults-at-work.js';
import { Fleet } from './fleet.js';
import type { Installation } from './installation.js';
import { judge, TOLD_NOTHING, toldAgents } from './judge.js';
import { Latencies } from './latencies.js';
import type { PlannedFault } from './fault-plan.js';
import type { BurstRun } from './outcome.js';
import { Processes, type Role } from './processes.js';
import { PHASES, type PhaseName, type Rates, Schedule } from './schedule.js';
import { KINDS, type LoadKind, now, type ProducerNews } from './setting.js';
import type { Moment } from './timeline.js';
import { watchCalls, watchEvents } from './watch.js';

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

/** Who looks on. */
export interface BurstView {
  readonly stage: (text: string) => void;
  readonly moment: (moment: Moment, phase: PhaseName | 'catching up', schedule: Schedule) => void;
  readonly fault: (text: string) => void;
}

const MOMENT_MS = 250;
/** From the order until the first record is due: every producer has it by then. */
const LEAD_MS = 300;
/** How long the load may take to be delivered once all has come due; then it is told as it is. */
const CATCH_UP_MS = 180_000;

const perPhase = (): Record<PhaseName, Latencies> => ({
  baseline: new Latencies(),
  burst: new Latencies(),
  after: new Latencies(),
});

const pause = (ms: number): Promise<void> => new Promise((resume) => setTimeout(resume, ms));

/** Runs the load once, with its faults, and judges what the log holds then. Throws {@link FaultError}. */
export const runBurst = async (installation: Installation, options: BurstOptions): Promise<BurstRun> => {
  const { kind, rates, producers, agents, size, faults, dir, view, reaper } = options;
  const schedule = new Schedule(rates);
  const latencies = perPhase();
  const delivery = perPhase();
  let interval = new Latencies();
  const totals = { sent: 0, acked: 0, refused: 0, unknown: 0, pushedBack: 0 };
  let lastSeq = 0;
  let beginAt = 0;
  const onDelivered = (dueAt: number, latencyMs: number): void => {
    const elapsed = dueAt - beginAt;
    const phase =
      elapsed < schedule.burstFromMs ? 'baseline' : elapsed < schedule.burstToMs ? 'burst' : 'after';
    delivery[phase].add(latencyMs);
  };
  if (kind === 'events' && installation.dataDir === undefined) {
    throw new FaultError(
      fault('USAGE', 'events are followed by their snapshots: run this where the broker is'),
    );
  }
  const { isOwn, dataDir } = installation;
  const firstSeq = isOwn ? 1 : (await logEnd(installation.operator)) + 1;
  const before =
    isOwn || dataDir === undefined ? TOLD_NOTHING : await toldAgents(dataDir, KINDS[kind].module);
  const watch =
    kind === 'events'
      ? watchEvents(installation.dataDir as string, onDelivered)
      : watchCalls(installation.operator, onDelivered);
  const onNews = (news: ProducerNews, index: number): void => {
    totals.sent += news.sent;
    totals.acked += news.acked;
    totals.refused += news.refused;
    totals.unknown += news.unknown;
    totals.pushedBack += news.pushedBack;
    lastSeq = Math.max(lastSeq, news.lastSeq);
    for (const phase of PHASES) {
      const counts = news.latencies[phase];
      if (counts === undefined) continue;
      latencies[phase].merge(counts);
      interval.merge(counts);
    }
    watch.follow(news.samples);
    atWork.news(index, news);
  };
  const fleet = new Fleet({
    ...{ kind, producers, rates, agents, size, dir, reaper, onNews },
    url: installation.url,
    seed: kind === 'events' ? installation.trustedSeed : installation.caller.seed,
    sender: installation.caller.sender,
  });
  const processes = new Processes(installation.operator, KINDS[kind].module, () => fleet.pids);
  const atWork = new FaultsAtWork({ faults, processes, installation, view });
  const moments: Moment[] = [];
  let recoveredAt: number | undefined;
  let ackedInBurst = 0;
  try {
    view.stage(`${producers} producers connect`);
    await fleet.start();
    await processes.start();
    beginAt = now() + LEAD_MS;
    fleet.begin(beginAt);
    let isOver = false;
    const finished = fleet.done().then(() => {
      isOver = true;
    });
    // It is awaited below; a producer that fails ends the run at once.
    let failure: unknown;
    finished.catch((error: unknown) => {
      failure = error;
    });
    atWork.start(beginAt + schedule.burstFromMs, fleet);
    const dueInAll = schedule.due(schedule.burstToMs);
    for (;;) {
      await pause(MOMENT_MS);
      if (failure !== undefined) throw failure;
      const atMs = now() - beginAt;
      if (atMs < 0) continue;
      const offered = schedule.due(atMs);
      // What is acknowledged is known a little later than where delivery stands.
      const delivered = Math.max(moments.at(-1)?.delivered ?? 0, watch.delivered(totals.acked, lastSeq));
      atWork.delivered(delivered);
      const notSent = isOver ? offered - totals.acked : 0;
      const backlog = Math.max(0, offered - notSent - delivered);
      moments.push({
        ...{ atMs, offered, acked: totals.acked, delivered, backlog },
        p99Ms: interval.count === 0 ? null : interval.quantile(0.99),
      });
      interval = new Latencies();
      const phase =
        atMs < schedule.burstFromMs
          ? 'baseline'
          : atMs < schedule.burstToMs
            ? 'burst'
            : atMs < schedule.endMs
              ? 'after'
              : 'catching up';
      if (atMs <= schedule.burstToMs) ackedInBurst = totals.acked;
      view.moment(moments.at(-1) as Moment, phase, schedule);
      // All that had come due by then, but what a dead producer did not send.
      const isBack = delivered >= dueInAll - notSent || backlog < Math.max(1_000, rates.baseline);
      if (recoveredAt === undefined && atMs >= schedule.burstToMs && isBack) recoveredAt = atMs;
      if (isOver && atWork.isDone && atMs > schedule.endMs && backlog === 0) break;
      if (atMs > schedule.endMs + CATCH_UP_MS) break;
    }
    await finished;
    await processes.stop();
  } finally {
    await atWork.close();
    await fleet.kill();
    await watch.close();
  }
  const ledger = join(dir, 'acknowledged.ndjson');
  const ledgerLines = fleet.ledger(ledger);
  const ackedBefore = moments.findLast(({ atMs }) => atMs <= schedule.burstFromMs)?.acked ?? 0;
  const judged = await judge({ ...options, installation, ledger, ledgerLines, firstSeq, before });
  if (isLeft(judged)) throw new FaultError(judged.left);
  const { verification, ...counts } = judged.right;
  const quantiles = (of: Record<PhaseName, Latencies>) => ({
    baseline: summary(of.baseline),
    burst: summary(of.burst),
    after: summary(of.after),
  });
  const recoverySeconds =
    recoveredAt === undefined ? null : Math.max(0, round((recoveredAt - schedule.burstToMs) / 1_000));
  const latencyMs = quantiles(latencies);
  const reasons = [
    ...counts.reasons,
    ...(recoverySeconds !== null && recoverySeconds <= options.maxRecoverySeconds
      ? []
      : [
          `recovery took ${recoverySeconds ?? 'more than what was waited'} s, above ${options.maxRecoverySeconds}`,
        ]),
  ];
  return {
    moments,
    verification,
    seconds: rates.seconds,
    baselineSeconds: rates.baselineSeconds,
    outcome: {
      ok: reasons.length === 0,
      offered: schedule.total,
      ...{ acked: ledgerLines, delivered: counts.delivered },
      ...{ lost: counts.lost, duplicated: counts.duplicated, reordered: counts.reordered },
      ...{ unanswered: counts.unanswered, otherFindings: counts.otherFindings },
      notAcked: {
        refused: totals.refused,
        unknown: totals.unknown,
        notSent: Math.max(0, schedule.total - ledgerLines - totals.refused - totals.unknown),
      },
      achievedRate: Math.round((ackedInBurst - ackedBefore) / rates.seconds),
      offeredRate: rates.rate,
      recoverySeconds,
      behind: {
        records: Math.max(0, ...moments.map(({ offered, acked }) => offered - acked)),
        seconds: round(Math.max(...PHASES.map((phase) => latencies[phase].max)) / 1_000),
      },
      latencyMs,
      deliveryMs: quantiles(delivery),
      cpuUsPerRecord: perRecord(processes.used, ledgerLines),
      faults: atWork.done,
      durability: installation.durability,
      ...{ kind, producers, agents, size, reasons },
    },
  };
};

const perRecord = (
  seconds: Readonly<Record<Role, number>>,
  records: number,
): Readonly<Record<Role, number>> => {
  const each = (role: Role): number => (records === 0 ? 0 : round((seconds[role] * 1e6) / records));
  return {
    producers: each('producers'),
    server: each('server'),
    broker: each('broker'),
    module: each('module'),
  };
};

const round = (value: number): number => Math.round(value * 100) / 100;

const summary = (latencies: Latencies) => ({
  p50: round(latencies.quantile(0.5)),
  p99: round(latencies.quantile(0.99)),
  max: round(latencies.max),
});
