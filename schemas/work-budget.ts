/**
 * How much work the check of one value may be. Patterns are matched in linear time, which is the length of the text times the size of
 * the pattern; a recursive schema may look at one place again and again. What takes more is refused, and holds up nobody.
 */
const MAX_PATTERN_STEPS = 100_000_000;
const MAX_CALLS = 500_000;
/** Looking for the place that is wrong costs some 2 µs for each step. That is on top of the check, and holds up everybody. */
const MAX_ERROR_CALLS = 5_000;

/** Thrown through the compiled check; {@link checked} alone catches it. */
export class TooMuchWork extends Error {
  override readonly name = 'TooMuchWork';
}

let stepsLeft = Number.POSITIVE_INFINITY;
let callsLeft = Number.POSITIVE_INFINITY;

/** A pattern of this size is about to be matched with a text of that length. */
export const spendSteps = (length: number, size: number): void => {
  stepsLeft -= length * size;
  if (stepsLeft < 0) throw new TooMuchWork('its patterns take too long for texts of this length');
};

/**
 * A schema is about to be applied that may be applied to the same place again. The bundle of typebox calls it, see
 * build/bundle-typebox.mjs.
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

/** One search for what is wrong; throws {@link TooMuchWork}. */
export const withinSearch = <A>(work: () => A): A => within(MAX_ERROR_CALLS, work);
