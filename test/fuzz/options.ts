import { FAMILY_NAMES, type FamilyName } from './families/families.js';

export interface FuzzOptions {
  readonly inputs: number;
  readonly seed: number;
  /** Index of the first input. */
  readonly from: number;
  /** Families that take part. */
  readonly only: readonly FamilyName[];
}

/** Of the inputs of a run of all families, so many are the module's: a second broker is started for them. */
export const MODULE_SHARE = 0.15;

export const isFamilyName = (text: string): text is FamilyName =>
  (FAMILY_NAMES as readonly string[]).includes(text);
