import { type Either, isLeft, map } from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { ask } from '../../link/request-broker.js';
import { requestSubscriptions } from '../../link/request-subscription.js';
import type { TargetOptions } from '../../link/target.js';
import type { ConfigList } from '../../schemas/config-requests.js';
import type { Fault } from '../../schemas/errors.js';
import { type ModuleInfo, type ModuleStatus, OPS } from '../../schemas/operate.js';
import { withConnection } from '../connect/connect.js';
import { type Contexts, readContexts } from '../connect/contexts.js';
import { withAgents } from '../jobs/with-agents.js';
import type { Candidate, Wanted } from './wanted.js';

/** A person has pressed a key and waits. A slow machine may need longer: `TALLYSTICK_COMPLETION_MS`. */
const patienceMs = (text = process.env.TALLYSTICK_COMPLETION_MS): number =>
  text !== undefined && /^[1-9]\d{0,5}$/.test(text) ? Number(text) : 700;
/** More names than a screen has lines help nobody. */
const MOST = 200;

const modules = (target: TargetOptions): TE.TaskEither<Fault, readonly Candidate[]> =>
  withConnection(target, (nc) => async () => {
    const listed = await ask<{ modules: readonly ModuleStatus[] }>(nc, OPS.moduleList, {}, patienceMs())();
    if (isLeft(listed)) return listed;
    const found = listed.right.modules.map(({ name, version, state }) => ({
      value: name,
      description: `${version ?? ''} ${state}`.trim(),
    }));
    return TE.right<Fault, readonly Candidate[]>(found)();
  });

const actions = (target: TargetOptions): TE.TaskEither<Fault, readonly Candidate[]> =>
  withConnection(target, (nc) => async () => {
    const listed = await ask<{ modules: readonly ModuleStatus[] }>(nc, OPS.moduleList, {}, patienceMs())();
    if (isLeft(listed)) return listed;
    const infos = await Promise.all(
      listed.right.modules
        .slice(0, MOST)
        .map(({ name }) => ask<ModuleInfo>(nc, OPS.moduleInfo, { name }, patienceMs())()),
    );
    const found = infos.flatMap((info) =>
      isLeft(info)
        ? []
        : Object.entries(info.right.manifest.actions)
            .filter(([, { callers }]) => callers !== 'self')
            .map(([action, { description = '' }]) => ({
              value: `${info.right.manifest.name}.${action}`,
              description,
            })),
    );
    return TE.right<Fault, readonly Candidate[]>(found)();
  });

const agents = (
  module: string,
  prefix: string,
  target: TargetOptions,
): TE.TaskEither<Fault, readonly Candidate[]> =>
  withAgents(module, target, (all) =>
    TE.right(
      all
        .list({ limit: MOST, ...(prefix === '' ? {} : { prefix }) })
        .agents.map(({ agent }) => ({ value: agent, description: '' })),
    ),
  );

const keys = (module: string, target: TargetOptions): TE.TaskEither<Fault, readonly Candidate[]> =>
  withConnection(target, (nc) =>
    pipe(
      ask<ConfigList>(nc, OPS.configList, { module }, patienceMs()),
      TE.map(({ modules: [found] }) =>
        (found?.keys ?? []).map(({ key, description }) => ({ value: key, description: description ?? '' })),
      ),
    ),
  );

const subscriptions = (target: TargetOptions): TE.TaskEither<Fault, readonly Candidate[]> =>
  withConnection(target, (nc) =>
    pipe(
      requestSubscriptions(nc),
      TE.map(({ subscriptions: all }) =>
        all.map(({ name, events }) => ({ value: name, description: events.join(' ') })),
      ),
    ),
  );

/** No broker is asked: a file of this person has them. */
const contexts = (): Either<Fault, readonly Candidate[]> =>
  map(({ contexts: all }: Contexts) => all.map(({ name, server }) => ({ value: name, description: server })))(
    readContexts(),
  );

const lookUp = ({ names, module, target }: Wanted, word: string) => {
  switch (names) {
    case 'modules':
      return modules(target);
    case 'actions':
      return actions(target);
    case 'subscriptions':
      return subscriptions(target);
    case 'contexts':
      return TE.fromEither(contexts());
    case 'agents':
      return module === undefined ? undefined : agents(module, word, target);
    case 'keys':
      return module === undefined ? undefined : keys(module, target);
    default:
      return undefined;
  }
};

/** Names that a broker has, or nothing if it does not answer at once. A completion never shows an error. */
export const brokerNames = async (wanted: Wanted, word: string): Promise<readonly Candidate[]> => {
  const asked = lookUp(wanted, word);
  if (asked === undefined) return [];
  const late = new Promise<void>((resolve) => setTimeout(resolve, patienceMs()).unref());
  const found = await Promise.race([asked(), late]);
  return !found || isLeft(found) ? [] : found.right;
};
