import { type Either, isLeft } from 'fp-ts/lib/Either.js';
import type { Fault } from '../../schemas/errors.js';

/** The value; a fault fails the test with its own words. */
export const success = <A>(result: Either<Fault, A>): A => {
  if (isLeft(result)) throw new Error(`${result.left.code}: ${result.left.message}`);
  return result.right;
};

/** The fault; a value fails the test. */
export const failure = <A>(result: Either<Fault, A>): Fault => {
  if (isLeft(result)) return result.left;
  throw new Error(`expected a fault and got ${JSON.stringify(result.right)}`);
};
