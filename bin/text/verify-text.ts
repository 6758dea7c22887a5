import type { FindingKind, Verification } from '../../schemas/verification.js';
import { formatTable } from '../../text/table.js';
import { formatNumber } from '../../text/numbers.js';

/** Findings that are shown to people; `--json` has more. */
const SHOWN = 20;

/** What a count of each kind is about, in the order of the report. */
const KINDS: readonly (readonly [keyof Verification & string, FindingKind, string])[] = [
  ['missing', 'missing', 'sequences, numbers of a producer, copies, acknowledged records that are not there'],
  ['duplicated', 'duplicated', 'numbers, copies, lines of the ledger that are there twice'],
  ['reordered', 'reordered', 'numbers, epochs, commands of an agent out of their order'],
  ['altered', 'altered', 'copies that are not what was decided, records that are not what was certified'],
  ['forbidden', 'forbidden', 'copies that a result promises and its module may not have'],
  ['callsDiffer', 'callsDiffer', 'calls of handlers that are not those which the result was decided by'],
  ['unanswered', 'unanswered', 'commands without a result'],
  ['answeredTwice', 'answeredTwice', 'results of commands that have one'],
  ['orphanEvents', 'orphanEvent', 'events and commands that no decision promises'],
  ['unattributed', 'unattributed', 'records of nobody, or of somebody else than they say'],
  ['stateMismatches', 'stateMismatch', 'snapshots that are not what the log gives'],
];

const counts = (found: Verification): string =>
  formatTable(
    ['RECORDS', 'COMMANDS', 'RESULTS', 'EVENTS', 'EPOCHS', 'PRODUCERS'],
    [
      [found.records, found.commands, found.results, found.events, found.epochs, found.producers].map(
        formatNumber,
      ),
    ],
  );

const checks = (found: Verification): string =>
  formatTable(
    ['FOUND', 'KIND', 'WHAT IT IS'],
    KINDS.map(([key, kind, what]) => [formatNumber(found[key] as number), kind, what]),
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
    formatTable(['SEQ', 'KIND', 'PRODUCER', 'DETAIL'], rows),
    ...(more > 0 ? [`and ${formatNumber(more)} more; --json lists the first 1,000`] : []),
  ];
};

const notes = ({ notes, waiting, states, ledger }: Verification): readonly string[] => {
  const lines = [
    ...states.map(
      ({ module, agents }) =>
        `the snapshots of ${module} are what the log gives: ${formatNumber(agents)} agents`,
    ),
    ...(ledger > 0 ? [`${formatNumber(ledger)} lines of the ledger were laid beside the log`] : []),
    ...(waiting > 0
      ? [
          `${formatNumber(waiting)} commands, copies or numbers are too young to be called missing: they may be on their way`,
        ]
      : []),
    ...notes,
  ];
  return lines.length === 0 ? [] : ['', ...lines.map((line) => `- ${line}`)];
};

const verdict = ({ ok, findingsTotal, records, seconds, firstSeq, lastSeq }: Verification): string => {
  const what = ok
    ? 'clean: nothing is missing, nothing is there twice, everything is in order'
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
