import type { BurstOutcome, Quantiles } from '../../perf/burst/burst-outcome.js';
import { fittedTable } from './fitted-table.js';
import { formatNumber } from '../../text/numbers.js';

const quantiles = (name: string, { p50, p99, max }: Quantiles): readonly string[] => [
  name,
  ...[p50, p99, max].map((ms) => (ms === null ? '-' : formatNumber(ms, 3))),
];

const faultLine = ({ at, what, downMs }: BurstOutcome['faults'][number]): string =>
  `  ${what} killed at ${at} s: ${downMs === null ? 'did not recover' : `recovered after ${formatNumber(downMs, 3)} ms`}`;

/** The report for a person, the verdict first. */
export const burstText = (outcome: BurstOutcome): string => {
  const { offered, acked, delivered, notAcked, latencyMs, deliveryMs, behind, faults } = outcome;
  const verdict = outcome.ok
    ? 'ok: the log has every acknowledged record once, in order'
    : `NOT OK\n${outcome.reasons.map((reason) => `  ${reason}`).join('\n')}`;
  const missing = [
    ...(notAcked.refused > 0 ? [`${formatNumber(notAcked.refused)} refused`] : []),
    ...(notAcked.unknown > 0
      ? [`${formatNumber(notAcked.unknown)} of which it is unknown whether they are stored`]
      : []),
    ...(notAcked.notSent > 0
      ? [`${formatNumber(notAcked.notSent)} not sent, or without a reply, because their producer was dead`]
      : []),
  ];
  const rows = (['baseline', 'burst', 'after'] as const).flatMap((phase) => [
    quantiles(`${phase}, acknowledged`, latencyMs[phase]),
    quantiles(`${phase}, delivered`, deliveryMs[phase]),
  ]);
  return [
    verdict,
    `offered ${formatNumber(offered)}, acknowledged ${formatNumber(acked)}, delivered ${formatNumber(delivered)}; lost ${outcome.lost}, duplicated ${outcome.duplicated}, reordered ${outcome.reordered}, unanswered ${outcome.unanswered}`,
    ...(missing.length > 0 ? [`not acknowledged: ${missing.join(', ')}`] : []),
    `burst: ${formatNumber(outcome.achievedRate)} records/s acknowledged of ${formatNumber(outcome.offeredRate)} offered, ${outcome.durability}; at most ${formatNumber(behind.records)} records and ${behind.seconds} s behind`,
    `recovered ${outcome.recoverySeconds ?? 'not'} s after the burst`,
    `processor time, us a record: ${Object.entries(outcome.cpuUsPerRecord)
      .map(([role, us]) => `${role} ${us}`)
      .join(', ')}`,
    ...(faults.length > 0 ? ['faults:', ...faults.map(faultLine)] : []),
    fittedTable(['ms since due', 'p50', 'p99', 'max'], rows, { keys: ['ms since due'] }),
  ].join('\n');
};
