import type { StartConfig } from '../../schemas/config.js';
import { type Fault, fault } from '../../schemas/errors.js';
import type { LogLoss } from './log-loss.js';
import type { Witness } from './witness.js';

const STOP_ADVICE =
  'Put a copy of the log back that has these records, or start with --on-log-loss rebuild, which keeps snapshots and ' +
  'index in a separate directory and folds the states from the remaining log';

/**
 * The reason why a broker does not continue with a log that lost records, and what to do if the operator has not
 * decided yet.
 */
export const lossFault = ({ code, message }: LogLoss, onLogLoss: StartConfig['onLogLoss']): Fault =>
  fault(code, onLogLoss === 'stop' ? `${message}. ${STOP_ADVICE}` : message);

/** How the parts of a running broker say that the log is not what it was. */
export interface LogFailure {
  /** The broker cannot continue: for this reason, or because of a loss of records, if that is the cause. */
  readonly fail: (reason: Fault) => void;
  /** The log has lost records. */
  readonly onLoss: (loss: LogLoss) => void;
}

/** How long the log may take to show whether it lost something when the broker fails anyway. */
const RECHECK_MS = 5_000;

const late = (): Promise<undefined> =>
  new Promise((resolve) => {
    setTimeout(() => resolve(undefined), RECHECK_MS).unref();
  });

export const logFailure = (
  witness: Witness,
  onLogLoss: StartConfig['onLogLoss'],
  tell: (reason: Fault) => void,
): LogFailure => {
  const onLoss = (loss: LogLoss): void => tell(lossFault(loss, onLogLoss));
  return {
    onLoss,
    fail: (reason) => {
      // A log that lost its tail lost the broker's own epoch too, and looks as if another broker had taken it over.
      void Promise.race([witness.recheck(), late()]).then((loss) =>
        loss === undefined ? tell(reason) : onLoss(loss),
      );
    },
  };
};
