import * as E from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type { Draft, Receipt } from '../journal/append/draft.js';
import type { StartConfig } from '../schemas/config.js';
import { type Fault, toFault } from '../schemas/errors.js';
import type { Ready } from '../schemas/operate.js';
import { Lifetime } from '../system/lifetime.js';
import { armFailPoints, FAIL_VARIABLE } from '../system/processes/fail-point.js';
import type { BrokerEnvironment } from './broker-environment.js';
import { isLoss, type LogLoss } from './log/log-loss.js';
import { startInOrder } from './start-in-order.js';

export interface RunningBroker {
  readonly ready: Ready;
  /** Records a command as the gateway does; its subject says who sent it. For a replay of recorded commands. */
  readonly record: (command: Draft) => TaskEither<Fault, Receipt>;
  /** Takes no more calls, lets modules finish what they handle, ends all processes. Idempotent. */
  readonly stop: () => Promise<void>;
  /** Resolves with the reason when the broker cannot continue. Then it must be stopped. */
  readonly failed: Promise<Fault>;
  /** What the log lost while the broker ran, where it failed for that. */
  readonly loss: () => Promise<LogLoss | undefined>;
}

const ON = `fail-points are on (${FAIL_VARIABLE}): processes of this broker may end at any moment, as a test wants`;

/** How often a start is repeated because its server was killed during it. */
const MAX_STARTS = 3;

/**
 * Starts the broker: server, log, index, gateway, modules, in this order; what was started is stopped when one fails.
 */
export const startBroker =
  (config: StartConfig, environment: BrokerEnvironment): TaskEither<Fault, RunningBroker> =>
  async () => {
    const { log } = environment;
    if (armFailPoints('broker')) log.line('broker', ON, { level: 'warn' });
    for (let begun = 0; ; begun++) {
      // Steps of a start may fail with their own messages because there is no server.
      let wasDown = false;
      const onDown = (): void => {
        wasDown = true;
      };
      const started = await startOnce(config, environment, onDown);
      if (E.isRight(started) || begun === MAX_STARTS || config.natsUrl !== undefined) return started;
      const { code, message } = started.left;
      // Whether to continue after a loss is not decided here (I9).
      if (isLoss(started.left)) return started;
      if (!wasDown && code !== 'SERVER_UNREACHABLE') return started;
      // What follows are the last lines of the server.
      const [what = ''] = message.split('\n');
      log.line('broker', `${code}: ${what}; the server was killed, and the broker starts again`, {
        level: 'warn',
      });
    }
  };

const startOnce = async (
  config: StartConfig,
  environment: BrokerEnvironment,
  onDown: () => void,
): Promise<E.Either<Fault, RunningBroker>> => {
  const lifetime = new Lifetime();
  try {
    const { ready, witness, producer } = await startInOrder(config, environment, lifetime, onDown);
    return E.right({
      ready,
      record: (command) => producer.append(command, { patient: true }),
      stop: () => lifetime.stop(),
      failed: lifetime.failed,
      loss: () => witness.checked(),
    });
  } catch (error) {
    await lifetime.stop();
    return E.left(toFault(error));
  }
};
