import { parseSequence } from './identity.js';

/** The wait that an id of a promise names. The secret makes sure that the holder of the id got it from the handler. */
export interface PromiseId {
  readonly cause: number;
  readonly call: number;
  readonly secret: string;
}

const ID = /^([1-9][0-9]*)-([1-9][0-9]*)-([0-9a-f]{32})$/;

/** The id that the handler hands out. */
export const promiseId = ({ cause, call, secret }: PromiseId): string => `${cause}-${call}-${secret}`;

/** Reads an id; undefined: it is none. */
export const parsePromiseId = (text: string): PromiseId | undefined => {
  const [, cause = '', call = '', secret = ''] = ID.exec(text) ?? [];
  const [at, n] = [parseSequence(cause), parseSequence(call)];
  return at === undefined || n === undefined ? undefined : { cause: at, call: n, secret };
};

/** What the holder of an id does with its promise. */
export const PROMISE_VERBS = ['resolve', 'reject'] as const;
export type PromiseVerb = (typeof PROMISE_VERBS)[number];

/** The subject of a request that ends a promise: `promise.resolve.ID` or `promise.reject.ID`. */
export const promiseSubject = (verb: PromiseVerb, id: string): string => `promise.${verb}.${id}`;

/** The most bytes of the value of a promise, or of the text of its rejection. */
export const MAX_PROMISE_BYTES = 65_536;
