import { type Either, isLeft } from 'fp-ts/lib/Either.js';

/** The value; an error fails the test with its own words. */
export const success = <E, A>(result: Either<E, A>): A => {
  if (isLeft(result)) throw new Error(`expected a value and got ${JSON.stringify(result.left)}`);
  return result.right;
};

/** The error; a value fails the test. */
export const failure = <E, A>(result: Either<E, A>): E => {
  if (isLeft(result)) return result.left;
  throw new Error(`expected an error and got ${JSON.stringify(result.right)}`);
};
