import { type Fault, fault } from '../../schemas/errors.js';

/** A module that did not start. */
interface FailedModule {
  readonly name: string;
  readonly reason: string | null;
  /** The last lines that its process printed. */
  readonly lastOutput: readonly string[];
}

const saidLast = ({ lastOutput }: FailedModule): string => lastOutput.map((line) => `\n  ${line}`).join('');

/** The first process did not start, and the broker tries again. */
export const startFailed = (module: FailedModule): Fault => {
  const { name, reason } = module;
  const goesOn = `the broker still tries: \`tallystick module info ${name}\` shows its state`;
  const todo = `fix it and run \`tallystick module reload ${name}\`, or stop it: \`tallystick module unload ${name}\``;
  return fault(
    'MODULE_START_FAILED',
    `${name} did not start: ${reason}; ${goesOn}${saidLast(module)}\n${todo}`,
  );
};

/** The broker has parked the module, for this reason. */
export const startParked = (module: FailedModule, reason: string): Fault => {
  const { name } = module;
  const todo = `fix it and run \`tallystick module reload ${name}\`; its commands wait until then`;
  return fault('MODULE_START_FAILED', `${name} was ${reason}${saidLast(module)}\n${todo}`);
};
