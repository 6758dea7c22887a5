import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type BurstRequest, BurstRequestSchema } from '../../schemas/burst.js';
import { OPS } from '../../schemas/operate.js';
import { compileOnUse } from '../../schemas/validate.js';
import type { Handler } from '../serving/serve-requests.js';

const checkBurst = compileOnUse<BurstRequest>(BurstRequestSchema, 'PAYLOAD_INVALID', 'the burst');

/**
 * Whether an operator may start a burst on this machine. The process that serves HTTP runs it, on a separate broker;
 * this one judges who asks, as of every act, and records it.
 */
export const burstOperations = (): readonly (readonly [string, Handler])[] => [
  // Nothing is done, so nothing is recorded: who asks is judged alone.
  [OPS.burstMay, () => TE.right({})],
  [
    OPS.burstStart,
    (body) =>
      pipe(
        TE.fromEither(checkBurst(body)),
        TE.map((request): object => ({ request })),
      ),
  ],
];
