const FORMS = ['short', 'deep', 'full'] as const;

/**
 * How long the tests with random or repeated parts take: `short` in `npm test`, `deep` in `npm run test:deep`, `full` in
 * `npm run test:faults`. Each form has the same kinds of faults and inputs; a longer form has more of them.
 */
export type Form = (typeof FORMS)[number];

const asked = process.env.TEST_FORM ?? 'short';

export const FORM: Form =
  FORMS.find((form) => form === asked) ??
  (() => {
    throw new Error(`TEST_FORM is ${JSON.stringify(asked)}; give ${FORMS.join(', ')}`);
  })();

/** Pauses of 40 s, a minute of overload, every variant. */
export const IN_FULL = FORM === 'full';

/** The value for the form of this run. A test file that asks for one runs again in `npm run test:deep`. */
export const byForm = <T>(of: { readonly short: T; readonly deep: T; readonly full?: T }): T =>
  FORM === 'full' ? (of.full ?? of.deep) : of[FORM];

/**
 * `it` for tests that only `npm run test:deep` runs. The same file has a shorter test of the same promise, or one of a more
 * common case.
 */
export const inDeep = <D extends (...args: never[]) => unknown>(define: D): D =>
  FORM === 'short' ? ((() => Promise.resolve()) as unknown as D) : define;
