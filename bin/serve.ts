import { join } from 'node:path';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { stderrLog } from '../broker/broker-log.js';
import { progressReporter } from '../broker/server/progress.js';
import { type RunningBroker, startBroker } from '../broker/start.js';
import { shippedModules } from '../modules/shipped.js';
import type { StartConfig } from '../schemas/config.js';
import type { Fault } from '../schemas/errors.js';
import { EXIT, type ExitCode } from './exit.js';
import { print, printJson } from './output.js';
import { readyText } from './ready-text.js';

/** Compiled code lies as the sources do, so the modules are where they are seen from here. */
const MODULES = join(import.meta.dirname, '..', 'modules');

/** Resolves at the first SIGTERM, SIGINT or SIGHUP; a second one ends the process at once, as whoever sent it wants. */
const askedToStop = (): Promise<NodeJS.Signals> =>
  new Promise((resolve) => {
    let asked = false;
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
      process.on(signal, () => {
        if (asked) process.exit(EXIT.no);
        asked = true;
        resolve(signal);
      });
    }
  });

/** Until the broker has ended: by request (0), or because it cannot go on (its fault). */
const untilEnd = async (
  broker: RunningBroker,
  stop: Promise<NodeJS.Signals>,
): Promise<Either<Fault, ExitCode>> => {
  const reason = await Promise.race([stop, broker.failed]);
  await broker.stop();
  return typeof reason === 'string' ? right(EXIT.done) : left(reason);
};

/** Runs the broker in this process; this is where broker and modules are put together. */
export const serve =
  (config: StartConfig, json: boolean): TaskEither<Fault, ExitCode> =>
  async () => {
    const log = stderrLog();
    const stop = askedToStop();
    using progress = progressReporter();
    const started = startBroker(config, {
      hostEntry: join(MODULES, 'host', 'main.js'),
      shippedModules: shippedModules.map(({ directory }) => join(MODULES, directory)),
      log,
      onProgress: progress.onProgress,
    })();
    const first = await Promise.race([started, stop]);
    if (typeof first === 'string') {
      // Asked to stop before it was ready: what has been started must not be left behind.
      const late = await started;
      if (!isLeft(late)) await late.right.stop();
      return right(EXIT.done);
    }
    if (isLeft(first)) return first;
    progress.close();
    const { ready } = first.right;
    if (json) printJson(ready);
    else print(readyText(ready));
    return untilEnd(first.right, stop);
  };
