import { type Either, left, right } from 'fp-ts/lib/Either.js';
import { type Fault, FaultError, toFault } from '../../schemas/errors.js';
import { type Json, part } from './json-value.js';
import { refuse } from './problem.js';
import { type Token, tokenize } from './tokens.js';

/** Where in a value: keys of objects and indexes of lists, from the outside in. None: the whole of it. */
export type Path = readonly (string | number)[];

const PLAIN_NAME = /^[A-Za-z_$][\w$]*$/;

/** As it is written in expressions behind `state.`: `items[0].sku`, `["a key"].b`. */
export const printPath = (path: Path): string =>
  path
    .map((key, i) => {
      if (typeof key === 'number') return `[${key}]`;
      if (!PLAIN_NAME.test(key)) return `[${JSON.stringify(key)}]`;
      return i === 0 ? key : `.${key}`;
    })
    .join('');

const isSign = (token: Token | undefined, text: string): boolean =>
  token?.kind === 'sign' && token.text === text;

const read = (text: string): Path => {
  const tokens = tokenize(text);
  const path: (string | number)[] = [];
  for (let at = 0; ; ) {
    const [token, second, third] = [tokens[at] as Token, tokens[at + 1], tokens[at + 2]];
    if (token.kind === 'end') {
      if (path.length === 0) refuse(text, token.at, 'there is no path');
      return path;
    }
    if (path.length === 0 && token.kind === 'word') {
      path.push(token.text);
      at += 1;
    } else if (path.length > 0 && isSign(token, '.') && second?.kind === 'word') {
      path.push(second.text);
      at += 2;
    } else if (
      isSign(token, '[') &&
      (second?.kind === 'string' || second?.kind === 'number') &&
      isSign(third, ']')
    ) {
      path.push(second.value);
      at += 3;
    } else refuse(text, token.at, 'a path is like balance, items[0].sku or ["a key"].b');
  }
};

/** Reads the path of a part of a state; EXPRESSION_INVALID. */
export const parsePath = (text: string): Either<Fault, Path> => {
  try {
    return right(read(text));
  } catch (thrown) {
    return left(thrown instanceof FaultError ? thrown.fault : toFault(thrown, 'EXPRESSION_INVALID'));
  }
};

/** What a value has there; undefined where it has nothing. */
export const valueAt = (value: unknown, path: Path): Json | undefined => {
  let found = value as Json | undefined;
  for (const key of path) found = part(found, key);
  return found;
};
