import type { FindingKind, Verification } from '../../schemas/verification.js';
import { fittedTable } from './fitted-table.js';
import { formatNumber } from '../../text/numbers.js';

/** Findings in the text for people; `--json` has more. */
const SHOWN = 20;

/** The meaning of each count, in the order of the report. */
const KINDS: readonly (readonly [keyof Verification & string, FindingKind, string])[] = [
  ['missing', 'missing', 'sequences, numbers of a producer, copies, or acknowledged records'],
  ['duplicated', 'duplicated', 'numbers, copies, or lines of the ledger that occur twice'],
  ['reordered', 'reordered', 'numbers, epochs, or commands of an agent out of order'],
  ['altered', 'altered', 'copies that differ from the result, or records that differ from the certificate'],
  ['forbidden', 'forbidden', 'copies that a result promises and its module may not send'],
  ['callsDiffer', 'callsDiffer', 'calls of a handler that differ from those in its result'],
  ['cancelDiffers', 'cancelDiffers', 'cancels that differ from what results and steps say of them'],
  ['unanswered', 'unanswered', 'commands without a result'],
  ['answeredTwice', 'answeredTwice', 'second results of a command'],
  ['orphanEvents', 'orphanEvent', 'events and commands that no result promises'],
  ['unattributed', 'unattributed', 'records with a missing or forged producer'],
  ['stateMismatches', 'stateMismatch', 'snapshots that differ from the log'],
];

const counts = (found: Verification): string =>
  fittedTable(
    ['RECORDS', 'COMMANDS', 'RESULTS', 'EVENTS', 'EPOCHS', 'PRODUCERS'],
    [
      [found.records, found.commands, found.results, found.events, found.epochs, found.producers].map(
        formatNumber,
      ),
    ],
    { keys: [] },
  );

const checks = (found: Verification): string =>
  fittedTable(
    ['FOUND', 'KIND', 'WHAT IT IS'],
    KINDS.map(([key, kind, what]) => [formatNumber(found[key] as number), kind, what]),
    { keys: ['FOUND', 'KIND'] },
  );

const findings = ({ findings, findingsTotal }: Verification): readonly string[] => {
  if (findingsTotal === 0) return [];
  const shown = findings.slice(0, SHOWN);
  const rows = shown.map(({ seq, kind, producer, detail }) => [
    seq === 0 ? '-' : String(seq),
    kind,
    producer === '' ? '-' : producer,
    detail,
  ]);
  const more = findingsTotal - shown.length;
  return [
    '',
    fittedTable(['SEQ', 'KIND', 'PRODUCER', 'DETAIL'], rows, { keys: ['SEQ', 'KIND', 'PRODUCER'] }),
    ...(more > 0 ? [`and ${formatNumber(more)} more; --json lists the first 1,000`] : []),
  ];
};

const notes = ({ notes, waiting, states, ledger }: Verification): readonly string[] => {
  const lines = [
    ...states.map(
      ({ module, agents }) => `the snapshots of ${module} match the log: ${formatNumber(agents)} agents`,
    ),
    ...(ledger > 0 ? [`${formatNumber(ledger)} lines of the ledger were compared with the log`] : []),
    ...(waiting > 0
      ? [
          `${formatNumber(waiting)} commands, copies or numbers are too new to count as missing: they may still arrive`,
        ]
      : []),
    ...notes,
  ];
  return lines.length === 0 ? [] : ['', ...lines.map((line) => `- ${line}`)];
};

const verdict = ({ ok, findingsTotal, records, seconds, firstSeq, lastSeq }: Verification): string => {
  const what = ok
    ? 'clean: nothing is missing, nothing is duplicated, everything is in order'
    : `${formatNumber(findingsTotal)} ${findingsTotal === 1 ? 'finding' : 'findings'}`;
  const range = `records ${formatNumber(firstSeq)} to ${formatNumber(lastSeq)}`;
  const rate = seconds > 0 ? `, ${formatNumber(Math.round(records / seconds))} records/s` : '';
  return `${what}; ${range} in ${seconds.toFixed(2)} s${rate}`;
};

/** The report for people. */
export const verificationText = (found: Verification): string =>
  [
    counts(found),
    '',
    checks(found),
    ...findings(found),
    ...notes(found),
    '',
    `digest ${found.digest}`,
    verdict(found),
  ].join('\n');
