/**
 * The limit of work for the check of one value. A pattern takes time linear in the length of the text times the size
 * of the pattern. A recursive schema may look at one place again and again. A check that needs more is refused, so it
 * delays no other request.
 */
const MAX_PATTERN_STEPS = 100_000_000;
const MAX_CALLS = 500_000;
/**
 * The search for the wrong place costs some 2 µs for each step, in addition to the check, and delays every other
 * request.
 */
const MAX_ERROR_CALLS = 5_000;

/** Thrown through the compiled check; only {@link checked} catches it. */
export class TooMuchWork extends Error {
  override readonly name = 'TooMuchWork';
}

let stepsLeft = Number.POSITIVE_INFINITY;
let callsLeft = Number.POSITIVE_INFINITY;

/** Counts the match of a pattern of this size with a text of that length. */
export const spendSteps = (length: number, size: number): void => {
  stepsLeft -= length * size;
  if (stepsLeft < 0) throw new TooMuchWork('its patterns take too long for texts of this length');
};

/**
 * A schema is about to be applied that may be applied to the same place again. The bundle of typebox calls it, see
 * build/bundle-packages.mjs.
 *
 * @public
 */
export const spendCall = (calls = 1): true => {
  callsLeft -= calls;
  if (callsLeft < 0) throw new TooMuchWork('its schema looks at too many places, or at one too often');
  return true;
};

const within = <A>(calls: number, work: () => A): A => {
  [stepsLeft, callsLeft] = [MAX_PATTERN_STEPS, calls];
  try {
    return work();
  } finally {
    [stepsLeft, callsLeft] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  }
};

/** One check of a value; throws {@link TooMuchWork}. */
export const withinCheck = <A>(work: () => A): A => within(MAX_CALLS, work);

/** One search for the wrong place; throws {@link TooMuchWork}. */
export const withinSearch = <A>(work: () => A): A => within(MAX_ERROR_CALLS, work);
