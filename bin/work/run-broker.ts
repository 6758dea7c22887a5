import { join } from 'node:path';
import { isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { stderrLog } from '../../system/lines/broker-log.js';
import { isLoss, type LogLoss } from '../../broker/log/log-loss.js';
import { progressReporter } from '../../broker/server/progress.js';
import { type RunningBroker, startBroker } from '../../broker/start-broker.js';
import { shippedModules } from '../../modules/shipped.js';
import type { StartConfig } from '../../schemas/config.js';
import type { Fault } from '../../schemas/errors.js';
import type { Ready } from '../../schemas/operate.js';
import { EXIT, type ExitCode } from '../output/exit.js';
import { print, printJson } from '../output/output.js';
import { readyText } from '../text/ready-text.js';

/** Compiled code lies as the sources do, so the modules are where they are seen from here. */
export const MODULES = join(import.meta.dirname, '..', '..', 'modules');

/** The program that hosts one JavaScript module. */
export const HOST_ENTRY = join(MODULES, 'host', 'host-main.js');

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

/** How a broker ended: by request, or because it cannot go on; then perhaps with what its log has lost. */
type End = { readonly kind: 'asked' } | { readonly kind: 'failed'; reason: Fault; loss: LogLoss | undefined };

const untilEnd = async (broker: RunningBroker, stop: Promise<NodeJS.Signals>): Promise<End> => {
  const reason = await Promise.race([stop, broker.failed]);
  const loss = typeof reason !== 'string' && isLoss(reason) ? await broker.loss() : undefined;
  await broker.stop();
  return typeof reason === 'string' ? { kind: 'asked' } : { kind: 'failed', reason, loss };
};

/** The configuration for going on where the broker was, on the port that its clients know. */
const samePlace = (config: StartConfig, { nats }: Ready): StartConfig =>
  config.natsUrl === undefined ? { ...config, natsPort: Number(new URL(nats).port) } : config;

/** Runs the broker in this process; this is where broker and modules are put together. */
export const serve =
  (config: StartConfig, json: boolean): TaskEither<Fault, ExitCode> =>
  async () => {
    const log = stderrLog();
    const stop = askedToStop();
    using progress = progressReporter();
    let place = config;
    let knownLoss: LogLoss | undefined;
    let hasBegunAnew = false;
    for (;;) {
      const started = startBroker(place, {
        hostEntry: HOST_ENTRY,
        shippedModules: shippedModules.map(({ directory }) => join(MODULES, directory)),
        log,
        onProgress: progress.onProgress,
        ...(knownLoss === undefined ? {} : { knownLoss }),
      })();
      const first = await Promise.race([started, stop]);
      if (typeof first === 'string') {
        // Asked to stop before it was ready: what has been started must not be left behind.
        const late = await started;
        if (!isLeft(late)) await late.right.stop();
        return right(EXIT.done);
      }
      if (isLeft(first)) {
        // What a start finds by reading the log, the next one knows, and tells where it goes on.
        if (hasBegunAnew || config.onLogLoss === 'stop' || !isLoss(first.left)) return first;
        log.line(
          'log',
          `${first.left.code}: ${first.left.message}; the broker starts anew with what is there`,
        );
        hasBegunAnew = true;
        continue;
      }
      progress.close();
      const { ready } = first.right;
      // Whoever waits for it has been told already when the broker had to begin anew.
      if (knownLoss === undefined) {
        if (json) printJson(ready);
        else print(readyText(ready));
      }
      const end = await untilEnd(first.right, stop);
      if (end.kind === 'asked') return right(EXIT.done);
      if (end.loss === undefined || config.onLogLoss === 'stop') return left(end.reason);
      log.line('log', `${end.reason.code}: ${end.reason.message}; the broker starts anew with what is there`);
      knownLoss = end.loss;
      place = samePlace(config, ready);
    }
  };
