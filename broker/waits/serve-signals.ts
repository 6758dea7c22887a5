import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import type { Msg, NatsConnection } from 'nats';
import { type Fault, fault } from '../../schemas/errors.js';
import { parseJson } from '../../schemas/json.js';
import { isName } from '../../schemas/names.js';
import { MAX_SIGNAL_BYTES, type Signal, type SignalAddress } from '../../schemas/signal.js';
import { moduleUnknown } from '../gateway/call-admission.js';
import type { ModuleDirectory } from '../gateway/directory.js';
import { readRequest, type SignedRequest } from '../gateway/request.js';
import { answer } from '../serving/answer.js';
import type { Entrance } from '../serving/entrance.js';
import { type Listening, serve } from '../serving/serve.js';
import { SERVED } from '../serving/served.js';
import type { Wakes } from './wakes.js';

export interface SignalsContext {
  readonly nc: NatsConnection;
  readonly directory: ModuleDirectory;
  readonly entrance: Entrance;
  readonly wakes: Pick<Wakes, 'signal'>;
}

const NO_HEADERS: ReadonlySet<string> = new Set();

const addressOf = (
  directory: ModuleDirectory,
  { subject }: SignedRequest,
): E.Either<Fault, SignalAddress> => {
  const [module = '', name = '', agent = '', ...more] = subject.split('.');
  const odd = [module, name, agent].find((part) => !isName(part));
  if (odd !== undefined || more.length > 0)
    return E.left(
      fault('SIGNAL_INVALID', 'a signal is sent to signal.MODULE.NAME.AGENT, of A-Z a-z 0-9 _ -'),
    );
  const found = directory.find(module);
  if (found === undefined) return E.left(moduleUnknown(module));
  // Nothing says which values of a signal are sensitive.
  if (found.manifest.encrypt === true)
    return E.left(fault('SIGNAL_INVALID', `${module} encrypts, and a signal would be stored as it is`));
  return E.right({ module, name, agent });
};

const signalOf = ({ data }: Msg, by: string): E.Either<Fault, Signal> => {
  if (data.length === 0) return E.right({ by });
  if (data.length > MAX_SIGNAL_BYTES)
    return E.left(
      fault('PAYLOAD_TOO_LARGE', `the signal has ${data.length} bytes, it may have ${MAX_SIGNAL_BYTES}`),
    );
  return pipe(
    parseJson(data),
    E.map((value) => ({ by, data: value })),
  );
};

/**
 * Serves `signal.<module>.<name>.<agent>` of people. Whether the sender may send it is decided before: by the server,
 * and for a principal by `judgeRequest`, as a command `send MODULE.NAME.AGENT`.
 */
export const serveSignals = ({ nc, directory, entrance, wakes }: SignalsContext): Listening => {
  const refuse = (msg: Msg, problem: Fault): void => answer(nc, msg, E.left(problem));
  return serve({
    nc,
    entrance,
    subject: SERVED.signals,
    refuse,
    handle: async (msg) => {
      const asked = pipe(
        readRequest(msg, directory, () => NO_HEADERS),
        E.bindTo('request'),
        E.bind('address', ({ request }) => addressOf(directory, request)),
        E.bind('signal', ({ request }) => signalOf(msg, request.sender)),
      );
      if (E.isLeft(asked)) return refuse(msg, asked.left);
      const { address, signal } = asked.right;
      answer(nc, msg, await wakes.signal(address, signal));
    },
  });
};
