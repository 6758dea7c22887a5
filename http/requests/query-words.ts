import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import type { FastifyRequest } from 'fastify';
import { type Fault, fault } from '../../schemas/errors.js';
import { parseSequence } from '../../schemas/identity.js';
import { parseJson } from '../../schemas/json.js';
import { parsePlace } from '../../schemas/log-place.js';
import { parseName } from '../../schemas/names.js';
import { parseWaitAfter } from '../../store/log-index/open-waits-read.js';

/** The parameters of a query, each once, by name. */
export type QueryWords = Readonly<Record<string, string>>;

const SHOWN = 64;

/** Reads the parameters that a route knows. HTTP_INVALID: there is another one, or one twice. */
export const queryOf = (
  { query }: Pick<FastifyRequest, 'query'>,
  known: readonly string[],
): E.Either<Fault, QueryWords> => {
  const found: Record<string, string> = {};
  for (const [name, value] of Object.entries(query as Readonly<Record<string, string | string[]>>)) {
    if (!known.includes(name)) {
      const all = known.length === 0 ? 'it has none' : `it has ${known.join(', ')}`;
      const text = `this route has no query parameter ${JSON.stringify(name.slice(0, SHOWN))}: ${all}`;
      return E.left(fault('HTTP_INVALID', text));
    }
    if (typeof value !== 'string')
      return E.left(fault('HTTP_INVALID', `the query parameter ${name} is there more than once`));
    found[name] = value;
  }
  return E.right(found);
};

const asQuery =
  (name: string) =>
  ({ message }: Fault): Fault =>
    fault('HTTP_INVALID', `the query parameter ${name}: ${message}`);

const optional =
  <A>(parse: (text: string) => E.Either<Fault, A>) =>
  (query: QueryWords, name: string): E.Either<Fault, A | undefined> => {
    const text = query[name];
    return text === undefined ? E.right(undefined) : pipe(parse(text), E.mapLeft(asQuery(name)));
  };

const numberIn = (text: string): E.Either<Fault, number> => {
  const number = parseSequence(text);
  return number === undefined
    ? E.left(fault('HTTP_INVALID', `${JSON.stringify(text.slice(0, SHOWN))} is no number from 1 on`))
    : E.right(number);
};

export const nameIn = optional((text) => parseName('the name', text));
export const waitAfterIn = optional(parseWaitAfter);
export const placeIn = optional((text) => parsePlace(text));
export const numberIfAny = optional(numberIn);

/** A word of a list. */
export const oneIn = <A extends string>(
  words: readonly A[],
  query: QueryWords,
  name: string,
): E.Either<Fault, A | undefined> =>
  optional((text) =>
    (words as readonly string[]).includes(text)
      ? E.right(text as A)
      : E.left(fault('HTTP_INVALID', `it is one of ${words.join(', ')}`)),
  )(query, name);

export const flagIn = (query: QueryWords, name: string): E.Either<Fault, boolean> =>
  pipe(
    oneIn(['true', 'false'], query, name),
    E.map((word) => word === 'true'),
  );

/** How many a page has. */
export const limitIn = (query: QueryWords, usual: number, most: number): E.Either<Fault, number> =>
  pipe(
    numberIfAny(query, 'limit'),
    E.map((limit) => limit ?? usual),
    E.filterOrElse(
      (limit) => limit <= most,
      () => fault('HTTP_INVALID', `the query parameter limit is at most ${most}`),
    ),
  );

/** What a member of a body may be. */
export type Form = 'string' | 'boolean' | 'numbers';

const FORM: Readonly<Record<Form, { readonly is: (value: unknown) => boolean; readonly text: string }>> = {
  string: { is: (value) => typeof value === 'string', text: 'a string' },
  boolean: { is: (value) => typeof value === 'boolean', text: 'true or false' },
  numbers: {
    is: (value) => Array.isArray(value) && value.every((each) => Number.isSafeInteger(each) && each >= 1),
    text: 'a list of numbers from 1 on',
  },
};

const checked =
  (forms: Readonly<Record<string, Form>>) =>
  (value: unknown): E.Either<Fault, Readonly<Record<string, unknown>>> => {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      return E.left(fault('PAYLOAD_INVALID', 'the body is a JSON object'));
    for (const [key, member] of Object.entries(value)) {
      const form = Object.hasOwn(forms, key) ? forms[key] : undefined;
      const names = Object.keys(forms);
      if (form === undefined) {
        const text = names.length === 0 ? 'the body has no members' : `the body has ${names.join(', ')}`;
        return E.left(fault('PAYLOAD_INVALID', `${text}, and no other member`, `/${key.slice(0, SHOWN)}`));
      }
      if (!FORM[form].is(member))
        return E.left(fault('PAYLOAD_INVALID', `${key} is ${FORM[form].text}`, `/${key}`));
    }
    return E.right(value as Readonly<Record<string, unknown>>);
  };

/** The body of a request to the broker: an object with some of these members, or nothing. */
export const objectIn = (
  { body }: Pick<FastifyRequest, 'body'>,
  forms: Readonly<Record<string, Form>>,
): E.Either<Fault, Readonly<Record<string, unknown>>> =>
  body instanceof Uint8Array && body.length > 0
    ? pipe(parseJson(body), E.chain(checked(forms)))
    : E.right({});
