import { type Either, left, right } from 'fp-ts/lib/Either.js';
import { type Fault, fault } from '../../schemas/errors.js';

/** What can be killed, with -9, in the middle of it. */
export const VICTIMS = ['module', 'server', 'broker', 'producer'] as const;
export type Victim = (typeof VICTIMS)[number];

/** A kill, so many seconds behind the begin of the burst. */
export interface PlannedFault {
  readonly what: Victim;
  readonly atSeconds: number;
}

const ONE = /^([a-z]+)@(\d+(?:\.\d+)?)$/;

const isVictim = (text: string): text is Victim => (VICTIMS as readonly string[]).includes(text);

/** Reads `module@3,server@6`; USAGE. */
export const parseFaultPlan = (text: string): Either<Fault, readonly PlannedFault[]> => {
  const plan: PlannedFault[] = [];
  for (const part of text.split(',')) {
    const [, what = '', at = ''] = ONE.exec(part.trim()) ?? [];
    if (!isVictim(what)) {
      const text = `${JSON.stringify(part)} is not WHAT@SECONDS, where WHAT is one of ${VICTIMS.join(', ')}`;
      return left(fault('USAGE', text));
    }
    plan.push({ what, atSeconds: Number(at) });
  }
  return right(plan.sort((a, b) => a.atSeconds - b.atSeconds));
};
