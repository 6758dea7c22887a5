import { OPS } from '../../../schemas/operate.js';
import type { Seeded } from '../../support/seeded.js';
import { SERVED, token } from '../generate/address.js';
import { headerBlock } from '../generate/header-block.js';
import { oddText } from '../generate/odd-text.js';
import { bodyOf } from '../generate/payload.js';
import type { Family } from '../input.js';

const SUBJECTS = Object.values(OPS);

/** What changes a module that serves would be no fault of the broker's: these only ever hear of others. */
const CHANGES: ReadonlySet<string> = new Set(SUBJECTS.filter((subject) => /load|remove/.test(subject)));

const sequence = (random: Seeded, lastSeq: number): unknown =>
  random.next() < 0.8
    ? random.int(1, Math.max(1, lastSeq))
    : random.pick([0, -1, 0.5, 1e308, '7', null, 2 ** 53, 'constructor']);

/** What the operator asks of modules, schedules and dead letters. */
export const operations: Family = (random, known) => {
  const subject = random.next() < 0.93 ? random.pick(SUBJECTS) : `ops.${token(random)}`;
  const headers = random.next() < 0.2 ? headerBlock(random, known) : undefined;
  const sequences = (): unknown =>
    Array.from({ length: random.int(0, random.next() < 0.9 ? 5 : 120) }, () =>
      sequence(random, known.lastSeq),
    );
  const name = (): string =>
    random.next() < 0.4 && !CHANGES.has(subject) ? random.pick(SERVED) : `x${oddText(random)}`;
  const payload = bodyOf(random, {
    name,
    dir: () => `/nowhere/${oddText(random)}`,
    withDependents: () => random.next() < 0.5,
    id: () => oddText(random),
    seq: () => sequence(random, known.lastSeq),
    seqs: sequences,
    commands: sequences,
    again: () => random.next() < 0.5,
    from: () => sequence(random, known.lastSeq),
    limit: () => sequence(random, 600),
    module: () => random.pick([...SERVED, oddText(random)]),
  });
  const traced = headers?.includes('Nats-Trace-') === true;
  return {
    type: 'request',
    kind: subject.startsWith('ops.') && SUBJECTS.includes(subject as never) ? subject : 'ops.…',
    as: 'operator',
    subject,
    ...(headers === undefined ? {} : { headers }),
    payload,
    promised: !traced,
  };
};
