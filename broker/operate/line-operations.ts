import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { fault } from '../../schemas/errors.js';
import { parseInstant } from '../../schemas/instant.js';
import { type LinesRequest, LinesRequestSchema } from '../../schemas/log-lines.js';
import { OPS } from '../../schemas/operate.js';
import { compileOnUse } from '../../schemas/validate.js';
import type { KeptLines } from '../lines/kept-lines.js';
import { linesPage } from '../lines/line-pages.js';
import type { Handler } from '../serving/serve-requests.js';

const checkLines = compileOnUse<LinesRequest>(LinesRequestSchema, 'PAYLOAD_INVALID', 'request');

/** What an operator asks of the lines that were printed, by subject. Lines of a module outlive it. */
export const lineOperations = (
  kept: KeptLines,
  isModule: (name: string) => boolean,
): readonly (readonly [string, Handler])[] => [
  [
    OPS.logs,
    (body) =>
      pipe(
        checkLines(body),
        E.filterOrElse(
          ({ since }) => since === undefined || parseInstant(since) !== undefined,
          () => fault('PAYLOAD_INVALID', 'since is no RFC 3339 time', '/since'),
        ),
        E.filterOrElse(
          ({ module }) =>
            module === undefined || isModule(module) || kept.files((writer) => writer === module).length > 0,
          ({ module }) =>
            fault(
              'MODULE_UNKNOWN',
              `there is no module ${module}, and no line of one; \`tallystick module list\` lists them`,
              '/module',
            ),
        ),
        E.map((request): object => linesPage(kept, request)),
        TE.fromEither,
      ),
  ],
];
