import type { BrokerLog } from '../system/lines/broker-log.js';
import type { LogLoss } from './log/log-loss.js';
import type { OnProgress } from './server/progress.js';

/** The parameters besides the configuration: the broker imports no module, so the command line names their places. */
export interface BrokerEnvironment {
  /** Program that hosts one JavaScript module. */
  readonly hostEntry: string;
  /** Program that serves HTTP; absent: nobody serves it. */
  readonly httpEntry?: string;
  /** Program that exports traces; absent: nobody exports them. */
  readonly tracesEntry?: string;
  /** Modules are reloaded again and again: a host waits for the next one. */
  readonly keepsSpareHost?: boolean;
  /** Directories of the modules that ship with the package. */
  readonly shippedModules: readonly string[];
  readonly log: BrokerLog;
  readonly onProgress: OnProgress;
  /** What the log lost, where a broker of this process found that while it ran. */
  readonly knownLoss?: LogLoss;
}
