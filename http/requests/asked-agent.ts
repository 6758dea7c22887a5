import * as E from 'fp-ts/lib/Either.js';
import type { FastifyRequest } from 'fastify';
import type { Fault } from '../../schemas/errors.js';
import { parseName } from '../../schemas/names.js';
import { atLeastOf } from './request-words.js';

export interface AgentName {
  readonly module: string;
  readonly agent: string;
}

/** A request for the state of an agent. */
export interface AskedAgent extends AgentName {
  /** The states must have this sequence; 0: whatever they have. */
  readonly atLeast: number;
}

export const agentIn = ({ params }: FastifyRequest): E.Either<Fault, AgentName> => {
  const { module, agent } = params as AgentName;
  const named = parseName('module', module);
  if (E.isLeft(named)) return named;
  return E.map(() => ({ module, agent }))(parseName('agent', agent));
};

export const askedAgent = (request: FastifyRequest): E.Either<Fault, AskedAgent> => {
  const of = agentIn(request);
  return E.isLeft(of) ? of : E.map((atLeast: number) => ({ ...of.right, atLeast }))(atLeastOf(request));
};
