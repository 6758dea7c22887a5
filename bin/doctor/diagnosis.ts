/** What one check found. */
export interface Diagnosis {
  /** What was checked, in a word or two. */
  readonly name: string;
  /**
   * `warning`: it works, but you may want to change it. `problem`: the broker does not start, or does not do its work.
   */
  readonly state: 'ok' | 'warning' | 'problem';
  readonly found: string;
  /** What to do. Only for a warning or a problem. */
  readonly advice?: string;
}

export const asOk = (name: string, found: string): Diagnosis => ({ name, state: 'ok', found });

export const asWarning = (name: string, found: string, advice: string): Diagnosis => ({
  name,
  state: 'warning',
  found,
  advice,
});

export const asProblem = (name: string, found: string, advice: string): Diagnosis => ({
  name,
  state: 'problem',
  found,
  advice,
});
