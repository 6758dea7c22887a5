import type { FastifyInstance } from 'fastify';
import { type Fault, fault } from '../../schemas/errors.js';
import { FallingLevels } from '../../system/falling-levels.js';
import { sendFault } from './http-problem.js';
import type { PrincipalLinks } from './principal-links.js';

/** Tokens of one address that the broker refused. Each cost it a connection. */
const REFUSED = { perSecond: 2, most: 20 };
const UNAUTHORIZED = 401;
const WAIT_MS = 1_000;

const tooMany = (): Fault => ({
  ...fault('OVERLOADED', `too many tokens of your address were refused; try again in ${WAIT_MS} ms`),
  retryAfterMs: WAIT_MS,
});

/**
 * Refuses requests of an address that tries one token after another. A token that is in use is not refused: somebody
 * else behind the same address does not stop it.
 */
export const judgeTokens = (
  app: FastifyInstance,
  links: Pick<PrincipalLinks, 'open'>,
  now: () => number = () => performance.now(),
): void => {
  const refused = new FallingLevels(REFUSED);
  app.addHook('onRequest', ({ headers: { authorization }, ip }, reply, done) => {
    if (authorization === undefined || refused.of(ip, now()) < 1 || links.open(authorization) !== undefined)
      return done();
    void sendFault(reply, tooMany());
  });
  app.addHook('onResponse', ({ headers: { authorization }, ip }, { statusCode }, done) => {
    if (authorization !== undefined && statusCode === UNAUTHORIZED) refused.add(ip, now());
    done();
  });
};
