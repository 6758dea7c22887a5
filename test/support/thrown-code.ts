import { FaultError } from '../../schemas/errors.js';

/** The code of the fault that some work throws; `none` if it throws nothing. */
export const thrownCode = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    if (error instanceof FaultError) return error.fault.code;
    throw error;
  }
  return 'none';
};
