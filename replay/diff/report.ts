import { splitSubject } from '../../schemas/subjects.js';
import type { Item, ItemVerdict } from './runner-messages.js';

/** A command whose outcome is not the recorded one, or could not be found out. */
export type OutcomeDifference = Exclude<ItemVerdict, { readonly kind: 'same' | 'notDecided' }> & {
  /** Sequence of the command. */
  readonly seq: number;
  /** Sequence of its recorded result. */
  readonly result: number;
  readonly time: string;
  readonly action: string;
  /** `''` is the module itself. */
  readonly agent: string;
};

/** How the outcomes of other code compare with the stored ones. */
export interface DiffReport {
  readonly module: string;
  /** Of the code that commands were handled with. */
  readonly version: string;
  readonly schema: number;
  readonly from: number;
  readonly to: number;
  readonly cascade: boolean;
  /** Commands that were handled again; the sum of the next six. */
  readonly commands: number;
  readonly same: number;
  readonly different: number;
  readonly newlyRejected: number;
  readonly newlyAccepted: number;
  /** Not run to the end: a call that was not made before, or a way to the outside. */
  readonly stopped: number;
  /** Their recorded outcome is not of the module's code. */
  readonly notDecided: number;
  /** Commands of the range without a result, which there is nothing to compare with. */
  readonly unanswered: number;
  readonly seconds: number;
}

/** Undefined where there is none to speak of. */
export const differenceOf = (
  { record, agent, again }: Item,
  verdict: ItemVerdict,
): OutcomeDifference | undefined => {
  if (again === undefined || verdict.kind === 'same' || verdict.kind === 'notDecided') return undefined;
  const { seq, time, subject } = again.command;
  const parsed = splitSubject(subject);
  const action = parsed?.kind === 'cmd' ? parsed.name : subject;
  return { ...verdict, seq, result: record.seq, time, action, agent };
};
