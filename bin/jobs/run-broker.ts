import { join } from 'node:path';
import { isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type { BrokerLog } from '../../system/lines/broker-log.js';
import { isLoss, type LogLoss } from '../../broker/log/log-loss.js';
import { progressReporter } from '../../broker/server/progress.js';
import { type RunningBroker, startBroker } from '../../broker/start-broker.js';
import { shippedModules } from '../../modules/shipped.js';
import type { StartConfig } from '../../schemas/config.js';
import type { Fault } from '../../schemas/errors.js';
import type { Listen } from '../../schemas/listen.js';
import type { Ready } from '../../schemas/operate.js';
import { EXIT, type ExitCode } from '../output/exit.js';

/** Compiled code has the same folders as the sources, so relative paths find the modules. */
export const MODULES = join(import.meta.dirname, '..', '..', 'modules');

/** The program that hosts one JavaScript module. */
export const HOST_ENTRY = join(MODULES, 'host', 'host-main.js');

/** The program that serves HTTP. */
const HTTP_ENTRY = join(import.meta.dirname, '..', '..', 'http', 'http-main.js');

/** The program that exports traces. */
const TRACES_ENTRY = join(import.meta.dirname, '..', '..', 'traces', 'traces-main.js');

/** Resolves at the first SIGTERM, SIGINT or SIGHUP. A second one ends the process at once. */
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

/**
 * Node opens its inspector at SIGUSR1, and the inspector runs any code in this process. A listener takes the signal.
 * The option `--disable-sigusr1` does the same, and Node 20 does not have it.
 */
const refuseInspector = (): void => void process.on('SIGUSR1', () => undefined);

/** How a broker ended: by request, or because it cannot continue; then perhaps with a loss of its log. */
type End = { readonly kind: 'asked' } | { readonly kind: 'failed'; reason: Fault; loss: LogLoss | undefined };

const untilEnd = async (broker: RunningBroker, stop: Promise<NodeJS.Signals>): Promise<End> => {
  const reason = await Promise.race([stop, broker.failed]);
  const loss = typeof reason !== 'string' && isLoss(reason) ? await broker.loss() : undefined;
  await broker.stop();
  return typeof reason === 'string' ? { kind: 'asked' } : { kind: 'failed', reason, loss };
};

const portOf = (url: string): number => Number(new URL(url).port);

/** An address with the port that it has, if it listens. */
const onPort = <K extends 'listen' | 'httpListen'>(
  name: K,
  listen: Listen | undefined,
  url: string | null,
) => (listen === undefined || url === null ? {} : { [name]: { ...listen, port: portOf(url) } });

/** The configuration for a restart in the same place, on the ports that the clients know. */
const samePlace = (config: StartConfig, { nats, listen, http, httpListen }: Ready): StartConfig => ({
  ...config,
  ...(config.natsUrl === undefined ? { natsPort: portOf(nats) } : {}),
  ...(http === null ? {} : { httpPort: portOf(http) }),
  ...onPort('listen', config.listen, listen),
  ...onPort('httpListen', config.httpListen, httpListen),
});

/** How the broker of this process speaks to its terminal. */
export interface BrokerVoice {
  readonly log: BrokerLog;
  /** The broker is ready for the first time. It does not tell the restart after a loss of its log. */
  readonly onReady: (ready: Ready) => void;
  /** A signal asks the broker to stop. */
  readonly onStopping?: () => void;
}

export interface BrokerRun extends BrokerVoice {
  /** See BrokerEnvironment. */
  readonly keepsSpareHost?: boolean;
}

/** Runs the broker in this process until a signal ends it. Broker and modules are put together here. */
export const runBroker =
  (
    config: StartConfig,
    { log, onReady, onStopping = () => undefined, keepsSpareHost = false }: BrokerRun,
  ): TaskEither<Fault, ExitCode> =>
  async () => {
    const stop = askedToStop();
    refuseInspector();
    void stop.then(onStopping);
    using progress = progressReporter();
    let place = config;
    let knownLoss: LogLoss | undefined;
    let hasBegunAnew = false;
    for (;;) {
      const started = startBroker(place, {
        hostEntry: HOST_ENTRY,
        httpEntry: HTTP_ENTRY,
        tracesEntry: TRACES_ENTRY,
        keepsSpareHost,
        shippedModules: shippedModules.map(({ directory }) => join(MODULES, directory)),
        log,
        onProgress: progress.onProgress,
        ...(knownLoss === undefined ? {} : { knownLoss }),
      })();
      const first = await Promise.race([started, stop]);
      if (typeof first === 'string') {
        // A stop before the broker was ready must end what has been started.
        const late = await started;
        if (!isLeft(late)) await late.right.stop();
        return right(EXIT.done);
      }
      if (isLeft(first)) {
        // The first start finds a loss by reading the log. The second start gets the loss from it, and logs where it
        // continues.
        if (hasBegunAnew || config.onLogLoss === 'stop' || !isLoss(first.left)) return first;
        log.line(
          'log',
          `${first.left.code}: ${first.left.message}; the broker starts again with the records that the log has`,
          { level: 'error' },
        );
        hasBegunAnew = true;
        continue;
      }
      progress.close();
      const { ready } = first.right;
      if (knownLoss === undefined) onReady(ready);
      const end = await untilEnd(first.right, stop);
      if (end.kind === 'asked') return right(EXIT.done);
      if (end.loss === undefined || config.onLogLoss === 'stop') return left(end.reason);
      log.line(
        'log',
        `${end.reason.code}: ${end.reason.message}; the broker starts again with the records that the log has`,
        { level: 'error' },
      );
      knownLoss = end.loss;
      place = samePlace(config, ready);
    }
  };
