import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import type { Msg } from 'nats';
import { parseKey } from '../../schemas/command-key.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { CARRIED, HEADER } from '../../schemas/headers.js';
import { parseSequence } from '../../schemas/identity.js';
import { headersOf } from '../../link/message-headers.js';
import type { ModuleDirectory } from './directory.js';
import { readSigned, type SignedSubject } from './signed-subject.js';

export type RequestHeaders = Readonly<Record<string, string>>;

/** What an account asks of the broker: who, what about, and the headers that it may use. */
export interface SignedRequest extends SignedSubject {
  readonly headers: RequestHeaders;
}

/**
 * Written by the server on each request that comes from another account, behind what its sender wrote. Nothing reads
 * it.
 */
const REQUEST_INFO = 'Nats-Request-Info';

/** What to do instead, where that is not plain. */
const INSTEAD: ReadonlyMap<string, string> = new Map([
  [
    'nats-msg-id',
    'all senders would share its keys. Give the command a Tally-Key, or open a producer (producer.open)',
  ],
  ['tally-key', 'a handler needs no key: each of its calls is one command, however often it runs'],
  ['nats-batch-id', 'the broker makes the batches. Send single records, as many at a time as `window` says'],
]);

const invalid = (message: string): E.Either<Fault, never> => E.left(fault('HEADER_INVALID', message));

const refused = (name: string, allowed: ReadonlySet<string>): E.Either<Fault, never> => {
  const shown = JSON.stringify(name.slice(0, 64));
  const meant = [...allowed].find((each) => each.toLowerCase() === name.trim().toLowerCase());
  if (meant !== undefined) {
    return invalid(`the header ${shown} is not taken here: its name is ${meant}, and case and spaces count`);
  }
  const instead = INSTEAD.get(name.toLowerCase()) ?? `leave it out, or use one of ${[...allowed].join(', ')}`;
  return invalid(`the header ${shown} is not taken here: ${instead}`);
};

const VERSION = 'NATS/1.0';
const END = '\r\n';

/**
 * Reads headers by a list of those that are allowed, each once; any other line is HEADER_INVALID and named. Nothing
 * that the server or the broker acts on comes from a sender, and nothing is dropped silently.
 */
export const readHeaders = (text: string, allowed: ReadonlySet<string>): E.Either<Fault, RequestHeaders> => {
  const found: Record<string, string> = {};
  if (text === '') return E.right(found);
  const [version = '', ...lines] = text.split(END);
  if (version.trim() !== VERSION) return invalid(`headers begin with ${VERSION}, and no status behind it`);
  const seen = new Set<string>();
  for (const [i, line] of lines.entries()) {
    if (line === '') {
      if (lines.slice(i).every((rest) => rest === '')) break;
      return invalid('there are bytes behind the empty line that ends the headers');
    }
    const colon = line.indexOf(':');
    const name = colon < 0 ? line : line.slice(0, colon);
    if (colon < 0 || !(allowed.has(name) || name === REQUEST_INFO)) return refused(name, allowed);
    if (seen.has(name)) return invalid(`the header ${name} is there twice`);
    seen.add(name);
    const value = line.slice(colon + 1).trim();
    if (name === HEADER.conversation && value !== '' && parseSequence(value) === undefined)
      return invalid(`${name}: ${JSON.stringify(value.slice(0, 64))} is no sequence of a record`);
    if (name !== REQUEST_INFO) found[name] = value;
  }
  return E.right(found);
};

/** The key that a sender gave a command, if it gave one: HEADER_INVALID where it is none. */
export const keyIn = (headers: RequestHeaders): E.Either<Fault, string | undefined> => {
  const text = headers[HEADER.key];
  return text === undefined ? E.right(undefined) : parseKey(text);
};

/** Reads who asks and what; `allowed`: the headers that the sender may use. */
export const readRequest = (
  msg: Msg,
  directory: Pick<ModuleDirectory, 'find'>,
  allowed: (sender: string) => ReadonlySet<string>,
): E.Either<Fault, SignedRequest> =>
  pipe(
    readSigned(msg.subject, directory),
    E.chain((signed) =>
      pipe(
        readHeaders(headersOf(msg).text, allowed(signed.sender)),
        E.map((headers) => ({ ...signed, headers })),
      ),
    ),
  );

/** The headers that the command takes from its request. */
export const carriedOf = (headers: RequestHeaders): Record<string, string> => {
  const kept: Record<string, string> = {};
  for (const name of CARRIED) {
    const value = headers[name];
    if (value !== undefined && value !== '') kept[name] = value;
  }
  return kept;
};
