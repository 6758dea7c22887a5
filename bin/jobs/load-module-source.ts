import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { NatsConnection } from 'nats';
import type { Fault } from '../../schemas/errors.js';
import { type ModuleStatus, OPS } from '../../schemas/operate.js';
import { brokerCage, brokerDataDir } from '../../link/broker-data-dir.js';
import { ask } from '../../link/request-broker.js';
import { moreTime } from '../connect/slow-request.js';
import { afterAWhile } from './after-a-while.js';
import { moduleInfo } from './module-code.js';
import { removeEarlierBuilds } from './module-builds.js';
import { builtAgain, loadable, type LoadableModule } from './module-source.js';

interface Waiting {
  /** How long the broker may take, milliseconds. */
  readonly waitMs: number;
}

interface Granting extends Waiting {
  /** Grants what the manifest asks for. */
  readonly grant: boolean;
  /** Asked when that was not granted: the text of the refusal. Without it, the refusal stands. */
  readonly ask?: ((refusal: string) => Promise<boolean>) | undefined;
}

const NOT_GRANTED: ReadonlySet<string> = new Set([
  'CAGE_NOT_GRANTED',
  'LISTEN_NOT_GRANTED',
  'CALLS_NOT_GRANTED',
]);

/** Asks a person where the cage of the module lacks what its manifest asks for, and then tries again. */
const granting =
  ({ grant, ask: mayGrant }: Granting) =>
  (
    attempt: (more: { readonly grant?: true }) => TE.TaskEither<Fault, ModuleStatus>,
  ): TE.TaskEither<Fault, ModuleStatus> =>
    pipe(
      attempt(grant ? { grant } : {}),
      TE.orElse((refusal) =>
        !NOT_GRANTED.has(refusal.code) || mayGrant === undefined
          ? TE.left(refusal)
          : pipe(
              TE.fromTask(() => mayGrant(refusal.message)),
              TE.chain((isGranted) => (isGranted ? attempt({ grant: true }) : TE.left(refusal))),
            ),
      ),
    );

const asked = (
  nc: NatsConnection,
  subject: string,
  { waitMs }: Waiting,
  { dir, file }: LoadableModule,
  more: Readonly<Record<string, unknown>> = {},
): TE.TaskEither<Fault, ModuleStatus> =>
  pipe(
    afterAWhile(
      `the broker waits for the code in ${dir} to be loaded, and for its past to be folded`,
      ask<ModuleStatus>(nc, subject, { ...more, dir, waitMs }, moreTime({}, waitMs).timeout),
    ),
    TE.chainFirst(({ name }) =>
      file === undefined
        ? TE.right(undefined)
        : pipe(
            // The broker has this directory now: another command may have changed it since.
            moduleInfo(nc, name),
            TE.chain((info) => removeEarlierBuilds(info.dir)),
          ),
    ),
  );

/** Loads the module that was built in a directory, with what its manifest asks for. */
export const loadDir = (
  nc: NatsConnection,
  dir: string,
  waiting: Waiting,
): TE.TaskEither<Fault, ModuleStatus> => asked(nc, OPS.moduleLoad, waiting, { dir }, { grant: true });

/** Has a module run the code of that directory, without a trial of it, and with what its manifest asks for. */
export const reloadDir = (
  nc: NatsConnection,
  name: string,
  dir: string,
  waiting: Waiting,
): TE.TaskEither<Fault, ModuleStatus> =>
  asked(nc, OPS.moduleReload, waiting, { dir }, { name, untried: true, grant: true });

/** Builds the module that a user names, if it is a source, and loads it. */
export const loadNamed = (
  nc: NatsConnection,
  named: string,
  how: Granting,
): TE.TaskEither<Fault, ModuleStatus> =>
  pipe(
    brokerCage(nc),
    TE.chain((cage) => loadable(named, () => brokerDataDir(nc), cage)),
    TE.chain((module) => granting(how)((more) => asked(nc, OPS.moduleLoad, how, module, more))),
  );

/** Builds a module again, if it was built from a source, and reloads it; or takes another source. */
export const reloadNamed = (
  nc: NatsConnection,
  name: string,
  named: string | undefined,
  { untried, ...how }: Granting & { readonly untried: boolean },
): TE.TaskEither<Fault, ModuleStatus> => {
  const dataDir = () => brokerDataDir(nc);
  return pipe(
    brokerCage(nc),
    TE.chain((cage) =>
      named !== undefined
        ? loadable(named, dataDir, cage)
        : pipe(
            moduleInfo(nc, name),
            TE.chain(({ dir }) => builtAgain(dir, dataDir, cage)),
          ),
    ),
    TE.chain((module) =>
      granting(how)((more) => asked(nc, OPS.moduleReload, how, module, { name, untried, ...more })),
    ),
  );
};
