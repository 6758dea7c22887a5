import { pipe } from 'fp-ts/lib/function.js';
import * as RA from 'fp-ts/lib/ReadonlyArray.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { Fault } from '../../schemas/errors.js';
import { type BrokerStatus, type ModuleInfo, OPS } from '../../schemas/operate.js';
import { asyncApiDocument } from './asyncapi-document.js';
import type { AsyncApiPart } from './described-channel.js';

/** A request of an operator to the broker. */
export type AskOps = <A>(
  subject: string,
  body?: Readonly<Record<string, unknown>>,
) => TE.TaskEither<Fault, A>;

/** The document of a running broker: of the modules that are loaded now. */
export const askedAsyncApi = (ask: AskOps, version: string): TE.TaskEither<Fault, AsyncApiPart> =>
  pipe(
    ask<BrokerStatus>(OPS.status),
    TE.chain(({ server: { url }, modules }) =>
      pipe(
        modules.filter(({ state }) => state === 'loaded' || state === 'reloading'),
        RA.map(({ name }) => ask<ModuleInfo>(OPS.moduleInfo, { name })),
        TE.sequenceArray,
        TE.map((infos) =>
          asyncApiDocument({ version, url, manifests: infos.map(({ manifest }) => manifest) }),
        ),
      ),
    ),
  );
