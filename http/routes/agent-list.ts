import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { FastifyRequest } from 'fastify';
import type { NatsConnection } from 'nats';
import { brokerDataDir } from '../../link/broker-data-dir.js';
import { type Fault, fault, toFault } from '../../schemas/errors.js';
import { parseName } from '../../schemas/names.js';
import { whenAtLeast } from '../../store/lmdb/reached.js';
import { ModuleAgents } from '../../store/snapshots/index.js';
import { limitIn, nameIn, numberIfAny } from '../requests/query-words.js';

const PAGE = 100;
const MOST = 1_000;
const KNOWN: readonly string[] = ['prefix', 'after', 'limit', 'where', 'atLeast'];

/** Opens the snapshots of a module, whose place only an operator is told, and closes them in every case. */
export const withSnapshots = <A>(
  nc: NatsConnection,
  module: string,
  work: (agents: ModuleAgents) => TE.TaskEither<Fault, A>,
): TE.TaskEither<Fault, A> =>
  pipe(
    brokerDataDir(nc),
    TE.chain((dataDir) => async () => {
      const agents = new ModuleAgents(module, dataDir);
      try {
        return await work(agents)();
      } catch (thrown) {
        return E.left(toFault(thrown));
      } finally {
        await agents.close();
      }
    }),
  );

/** What a request asks of the agents of a module. */
export interface AgentListQuery {
  readonly prefix: string | undefined;
  readonly after: string | undefined;
  readonly limit: number;
  readonly where: Readonly<Record<string, string>> | undefined;
  readonly atLeast: number | undefined;
}

const conditionsIn = (
  given: string | readonly string[] | undefined,
): E.Either<Fault, AgentListQuery['where']> => {
  if (given === undefined) return E.right(undefined);
  const found: Record<string, string> = {};
  for (const text of typeof given === 'string' ? [given] : given) {
    const at = text.indexOf('=');
    if (at < 1) return E.left(fault('HTTP_INVALID', 'the query parameter where is FIELD=VALUE'));
    found[text.slice(0, at)] = text.slice(at + 1);
  }
  return E.right(found);
};

/** As `agent list` has them: `where` may be there several times. */
export const agentListQueryOf = (request: FastifyRequest): E.Either<Fault, AgentListQuery> => {
  const query = request.query as Readonly<Record<string, string | readonly string[]>>;
  const single: Record<string, string> = {};
  for (const [name, value] of Object.entries(query)) {
    if (!KNOWN.includes(name)) {
      const text = `this route has no query parameter ${JSON.stringify(name.slice(0, 64))}: it has ${KNOWN.join(', ')}`;
      return E.left(fault('HTTP_INVALID', text));
    }
    if (name === 'where') continue;
    if (typeof value !== 'string')
      return E.left(fault('HTTP_INVALID', `the query parameter ${name} is there more than once`));
    single[name] = value;
  }
  return pipe(
    E.Do,
    E.apS('prefix', nameIn(single, 'prefix')),
    E.apS('after', nameIn(single, 'after')),
    E.apS('limit', limitIn(single, PAGE, MOST)),
    E.apS('where', conditionsIn(query.where)),
    E.apS('atLeast', numberIfAny(single, 'atLeast')),
  );
};

/** One page of agents, in the JSON of `agent list`. */
export const listAgents = (
  nc: NatsConnection,
  module: string,
  { prefix, after, limit, where, atLeast }: AgentListQuery,
): TE.TaskEither<Fault, object> =>
  pipe(
    TE.fromEither(parseName('module', module)),
    TE.chain(() =>
      withSnapshots(nc, module, (agents) =>
        pipe(
          whenAtLeast(agents, atLeast),
          TE.map(() => {
            const page = agents.list({
              limit,
              ...(prefix === undefined ? {} : { prefix }),
              ...(after === undefined ? {} : { after }),
              ...(where === undefined ? {} : { where }),
            });
            return where === undefined ? { ...page, count: agents.count() } : page;
          }),
        ),
      ),
    ),
  );
