import type { Payload } from '../../schemas/payload.js';
import { writeJson } from '../../schemas/write-json.js';
import type { Hit } from '../../replay/sandbox/break-point.js';
import type { Compared, Verdict } from '../../replay/sandbox/compare-answers.js';
import type { Ran } from '../../replay/sandbox/run-range.js';
import { splitSubject } from '../../schemas/subjects.js';
import { asTyped } from '../output/typed-program.js';

const addressOf = (text: string): string => {
  const subject = splitSubject(text);
  if (subject?.kind !== 'cmd') return text;
  return `${subject.module}.${subject.name}${subject.agent === undefined ? '' : ` ${subject.agent}`}`;
};

const answerText = (answer: Payload | null): string => answer?.shown() ?? 'nothing';

/** The same as one line of JSON, with both results as stored. */
export const comparedLine = ({ recorded, now, ...compared }: Compared): string => {
  const answer = (name: string, payload: Payload | null): string =>
    `,"${name}Form":${JSON.stringify(payload?.form ?? null)},"${name}":${payload?.json ?? 'null'}`;
  const head = JSON.stringify({ kind: 'compared', ...compared }).slice(0, -1);
  return `${head}${answer('recorded', recorded)}${answer('now', now)}}`;
};

/** A result that differs: its place in the recorded log, its place in the sandbox, and both results. */
export const comparedText = ({ verdict, recordedSeq, seq, subject, recorded, now }: Compared): string =>
  [
    `${verdict.padEnd(10)} ${recordedSeq ?? '-'} → ${seq ?? '-'} ${addressOf(subject)}`,
    `  was ${answerText(recorded)}`,
    `  is  ${answerText(now)}`,
  ].join('\n');

const WORDS: readonly (readonly [Verdict, string])[] = [
  ['same', 'the same'],
  ['different', 'different'],
  ['unanswered', 'unanswered'],
  ['answered', 'has a result only now'],
  ['new', 'not sent before'],
  ['missing', 'not sent now'],
];

export const ranText = ({ fed, verdicts }: Ran, fromSeq: number, untilSeq: number): string => {
  const counts = WORDS.filter(([verdict]) => verdict === 'same' || verdicts[verdict] > 0).map(
    ([verdict, words]) => `${verdicts[verdict]} ${words}`,
  );
  const commands = fed === 1 ? '1 command' : `${fed} commands`;
  return `${commands} of records ${fromSeq} to ${untilSeq} sent again; all that followed: ${counts.join(', ')}`;
};

export const hitText = (
  { seq, cause, module, agent, state }: Hit,
  expression: string,
  lastFed: number | null,
): string => {
  const who = agent === '' ? `${module} itself` : `${agent} of ${module}`;
  const where = cause === null ? `record ${seq}` : `record ${seq}, the result of command ${cause},`;
  const sent = lastFed === null ? '' : ` The last sent command is record ${lastFed} of the log.`;
  return `with ${where} ${expression} holds for ${who}.${sent}\n${writeJson(state, true)}`;
};

/** The commands that look further into a sandbox that stays. */
export const keptText = (dir: string, hit: Hit | undefined): string =>
  [
    `the sandbox is kept in ${dir}:`,
    ...(hit === undefined || hit.agent === ''
      ? []
      : [asTyped(`  tallystick agent get ${hit.module} ${hit.agent} --data ${dir}`)]),
    asTyped(`  tallystick start --data ${dir} --nats-port 0`),
  ].join('\n');
