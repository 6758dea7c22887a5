import { realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Either, left, right } from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { NatsConnection } from 'nats';
import { type ModuleSource, readModule } from '../../broker/supervisor/manifest-file.js';
import { sourceOf } from '../../broker/supervisor/module-origin.js';
import { type BrokerCage, brokerCage } from '../../link/broker-data-dir.js';
import { cagedModule } from '../../replay/fold/caged-module.js';
import { ownPackage } from '../../system/files/own-package.js';
import { isInside } from '../../system/cage/readable-paths.js';
import { cageHere } from '../../system/cage/lone-code.js';
import { loadModule } from '../../modules/host/load-module.js';
import type { AnyModule } from '../../modules/sdk/module-shape.js';
import { MODULE_ENV } from '../../schemas/control.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { type ModuleInfo, OPS } from '../../schemas/operate.js';
import { ask } from '../../link/request-broker.js';
import { loadableHere } from './module-source.js';
import { withoutOutput } from './without-output.js';
import { messageOf } from '../../text/thrown-message.js';

const unavailable = (module: string, why: string): Fault =>
  fault('MODULE_CODE_UNAVAILABLE', `the code of ${module} cannot be run here: ${why}`);

/** The module in a directory. Its name must match. */
const inDirectory =
  (module: string) =>
  (dir: string): TE.TaskEither<Fault, ModuleSource> =>
    pipe(
      TE.fromEither(readModule(dir)),
      TE.filterOrElse(
        ({ manifest }) => manifest.name === module,
        ({ manifest }) => fault('USAGE', `${dir} has the module ${manifest.name}, not ${module}`),
      ),
    );

export const moduleInfo = (nc: NatsConnection, module: string): TE.TaskEither<Fault, ModuleInfo> =>
  ask<ModuleInfo>(nc, OPS.moduleInfo, { name: module });

/** The directory from which the broker loaded a module. */
const ofBroker = (nc: NatsConnection, module: string): TE.TaskEither<Fault, ModuleSource> =>
  pipe(
    moduleInfo(nc, module),
    TE.chain(({ dir }) =>
      pipe(
        inDirectory(module)(dir),
        TE.mapLeft(({ message }) =>
          unavailable(module, `${message}; --module names its source or its directory`),
        ),
      ),
    ),
  );

/** Modules of this package are as trusted as the command that runs them. */
const isOurs = (dir: string): boolean =>
  isInside(join(ownPackage().root, 'dist', 'modules'), realpathSync(dir));

/** Runs the entry of a module as its host would, in its directory and with its environment. */
const load = async (
  { dir, manifestPath, manifest }: ModuleSource,
  { secret, cage: mode }: BrokerCage,
): Promise<Either<Fault, AnyModule>> => {
  const { start, name } = manifest;
  if (!('entry' in start)) return left(unavailable(name, 'it is a program in another language'));
  const cage = isOurs(dir) ? undefined : await cageHere(mode);
  if (cage !== undefined) {
    const source = sourceOf(dir);
    const sources = source === undefined ? [] : [dirname(source)];
    try {
      return right(
        await cagedModule({ cage, dir, entry: start.entry, manifest, manifestPath, sources, secret }),
      );
    } catch (error) {
      return left(unavailable(name, messageOf(error)));
    }
  }
  const cwd = process.cwd();
  process.env[MODULE_ENV.name] = name;
  process.env[MODULE_ENV.manifest] = manifestPath;
  try {
    process.chdir(dir);
    return right(await withoutOutput(() => loadModule(dir, start.entry, manifest)));
  } catch (error) {
    return left(unavailable(name, messageOf(error)));
  } finally {
    process.chdir(cwd);
  }
};

/**
 * The code of a module: from a source file, a directory or a package that a user names, or from the broker's directory
 * for it. MODULE_CODE_UNAVAILABLE, MODULE_BUILD_FAILED.
 */
export const moduleCode = (
  nc: NatsConnection,
  module: string,
  named: string | undefined,
): TE.TaskEither<Fault, AnyModule> =>
  pipe(
    brokerCage(nc),
    TE.bindTo('cage'),
    TE.bind('source', ({ cage }) =>
      named === undefined
        ? ofBroker(nc, module)
        : pipe(
            loadableHere(named, cage),
            TE.chain(({ dir }) => inDirectory(module)(dir)),
          ),
    ),
    TE.chain(
      ({ source, cage }) =>
        () =>
          load(source, cage),
    ),
  );
