import { failPoint } from '../../system/processes/fail-point.js';

/** The points that a call or a command passes once, with a key or without. Tests end the process there. */
export const passed = {
  /** A call was read, and nothing of it is stored. */
  called: (): void => failPoint('gateway.called'),
  /** The log has the command of the call, or the call is refused. */
  recorded: (): void => failPoint('gateway.recorded'),
  /** The log has the command that was sent, or the command is refused. */
  stored: (): void => failPoint('gateway.stored'),
};
