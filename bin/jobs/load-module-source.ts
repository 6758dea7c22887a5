import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { NatsConnection } from 'nats';
import type { Fault } from '../../schemas/errors.js';
import { type ModuleStatus, OPS } from '../../schemas/operate.js';
import { brokerDataDir } from '../../link/broker-data-dir.js';
import { ask } from '../../link/request-broker.js';
import { moreTime } from '../connect/slow-request.js';
import { moduleInfo } from './module-code.js';
import { removeEarlierBuilds } from './module-builds.js';
import { builtAgain, loadable, type LoadableModule } from './module-source.js';

interface Waiting {
  /** How long the broker may take, milliseconds. */
  readonly waitMs: number;
}

const asked = (
  nc: NatsConnection,
  subject: string,
  { waitMs }: Waiting,
  { dir, file }: LoadableModule,
  more: Readonly<Record<string, unknown>> = {},
): TE.TaskEither<Fault, ModuleStatus> =>
  pipe(
    ask<ModuleStatus>(nc, subject, { ...more, dir, waitMs }, moreTime({}, waitMs).timeout),
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

/** Loads the module that was built in a directory. */
export const loadDir = (
  nc: NatsConnection,
  dir: string,
  waiting: Waiting,
): TE.TaskEither<Fault, ModuleStatus> => asked(nc, OPS.moduleLoad, waiting, { dir });

/** Has a module run the code of that directory, without a trial of it. */
export const reloadDir = (
  nc: NatsConnection,
  name: string,
  dir: string,
  waiting: Waiting,
): TE.TaskEither<Fault, ModuleStatus> =>
  asked(nc, OPS.moduleReload, waiting, { dir }, { name, untried: true });

/** Builds the module that a user names, if it is a source, and loads it. */
export const loadNamed = (
  nc: NatsConnection,
  named: string,
  waiting: Waiting,
): TE.TaskEither<Fault, ModuleStatus> =>
  pipe(
    loadable(named, () => brokerDataDir(nc)),
    TE.chain((module) => asked(nc, OPS.moduleLoad, waiting, module)),
  );

/** Builds a module again, if it was built from a source, and reloads it; or takes another source. */
export const reloadNamed = (
  nc: NatsConnection,
  name: string,
  named: string | undefined,
  { untried, ...waiting }: Waiting & { readonly untried: boolean },
): TE.TaskEither<Fault, ModuleStatus> => {
  const dataDir = () => brokerDataDir(nc);
  return pipe(
    named !== undefined
      ? loadable(named, dataDir)
      : pipe(
          moduleInfo(nc, name),
          TE.chain(({ dir }) => builtAgain(dir, dataDir)),
        ),
    TE.chain((module) => asked(nc, OPS.moduleReload, waiting, module, { name, untried })),
  );
};
