import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { HEADER } from '../../schemas/headers.js';
import { sendFault } from './http-problem.js';
import { type GuestEnd, GuestTurns } from './guest-turns.js';

const LATER: ReadonlySet<number> = new Set([429, 503]);
/** `/v1/calls/<module>/<action>`. */
const PARTS = 5;

/** Routes that ask the broker nothing. */
const LOCAL: ReadonlySet<string> = new Set(['/healthz', '/openapi.json']);

const asksBroker = ({ url, is404 }: FastifyRequest): boolean => !(is404 || LOCAL.has(pathOf(url)));

const pathOf = (url: string): string => url.split('?', 1)[0] as string;

/** What a request asks for, without its agent. */
const targetOf = ({ method, url }: FastifyRequest): string =>
  `${method} ${pathOf(url).split('/', PARTS).join('/')}`;

/** A refusal with a place in the log is the word of a module, which counts as served. */
const endOf = (reply: FastifyReply): GuestEnd => {
  if (reply.statusCode < 400 || reply.hasHeader(HEADER.cause)) return 'served';
  return LATER.has(reply.statusCode) ? 'notNow' : 'wrong';
};

/** Refuses guests that send too many wrong requests. Requests with a token have a connection for themselves. */
export const judgeGuests = (app: FastifyInstance, turns = new GuestTurns()): void => {
  const ends = new WeakMap<FastifyRequest, (how: GuestEnd) => void>();
  const end = (request: FastifyRequest, how: GuestEnd): void => {
    const hear = ends.get(request);
    if (hear === undefined) return;
    ends.delete(request);
    hear(how);
  };
  app.addHook('onRequest', (request, reply, done) => {
    if (request.headers.authorization !== undefined || !asksBroker(request)) return done();
    const [address, target] = [request.ip, targetOf(request)];
    const refused = turns.begin(address, target);
    if (refused !== undefined) {
      void sendFault(reply, refused);
      return;
    }
    ends.set(request, (how) => turns.end(address, target, how));
    // A client that goes away does not end its request: the broker may still refuse it. A reply that a route writes
    // itself has no other end than this.
    reply.raw.once('close', () => {
      if (reply.sent) end(request, endOf(reply));
    });
    done();
  });
  app.addHook('onSend', (request, reply, payload, done) => {
    end(request, endOf(reply));
    done(null, payload);
  });
};
