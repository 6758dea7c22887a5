import { writeJson } from '../../schemas/write-json.js';
import { printable } from '../../text/printable.js';
import type { Stopped } from '../../replay/diff/runner-messages.js';
import type { DiffReport, OutcomeDifference } from '../../replay/diff/report.js';
import { fittedTable } from './fitted-table.js';
import { changeText } from './step-text.js';

const KINDS = {
  different: 'is different',
  newlyRejected: 'is newly rejected',
  newlyAccepted: 'is newly accepted',
  stopped: 'could not run to its end',
} as const;

type DifferentCall = (Stopped & { readonly why: 'call' })['made'];

const callText = ({ module, name, agent, data, step }: DifferentCall): string =>
  step !== undefined
    ? `step ${step}`
    : `${module}.${name}${agent === undefined ? '' : `.${agent}`} ${writeJson(data)}`;

const stoppedText = (stopped: Stopped): string => {
  if (stopped.why === 'outside') return `it reaches outside: ${stopped.what}`;
  const { n, made, recorded } = stopped;
  const before = recorded === null ? 'no call then' : `${callText(recorded)} then`;
  return `call ${n} is ${callText(made)}, and was ${before}`;
};

/** A command whose outcome differs, as some lines. */
export const differenceLines = (difference: OutcomeDifference, colour: boolean): string => {
  const { seq, time, action, agent, kind } = difference;
  const whose = printable(`${action}${agent === '' ? '' : ` of ${agent}`}`);
  const head = `${seq}  ${time}  ${whose} ${KINDS[kind]}`;
  const lines =
    difference.kind === 'stopped'
      ? [`  ${printable(stoppedText(difference.stopped))}`]
      : difference.changes.map((change) => changeText(change, colour));
  return [head, ...lines].join('\n');
};

export const reportText = (report: DiffReport): string => {
  const { module, version, from, to, cascade, unanswered, seconds } = report;
  const counts = [
    ['SAME', report.same],
    ['DIFFERENT', report.different],
    ['NEWLY REJECTED', report.newlyRejected],
    ['NEWLY ACCEPTED', report.newlyAccepted],
    ['STOPPED', report.stopped],
    ['NOT DECIDED', report.notDecided],
  ] as const;
  const on = cascade ? 'its own states' : 'the recorded history';
  const waiting = unanswered === 0 ? '' : `; ${unanswered} have no result yet`;
  return [
    `${report.commands} commands of ${module}, ${from} to ${to}, handled by ${version} on ${on} in ${seconds.toFixed(1)} s${waiting}`,
    fittedTable(
      counts.map(([head]) => head),
      [counts.map(([, count]) => `${count}`)],
      { keys: [] },
    ),
  ].join('\n');
};
