import { type Fault, FaultError, fault, toFault } from '../../schemas/errors.js';

/** Error codes of the system for files and directories that this user, or this disk, cannot provide. */
const OF_FILES: ReadonlySet<string> = new Set([
  ...[
    'EACCES',
    'EPERM',
    'EROFS',
    'ENOSPC',
    'EDQUOT',
    'EIO',
    'EMFILE',
    'ENFILE',
    'ENOTDIR',
    'ELOOP',
    'ENAMETOOLONG',
  ],
]);

/** The fault for an error that a command threw; DATA_DIR_UNUSABLE if the system refused a file. */
export const faultThrown = (thrown: unknown): Fault => {
  if (thrown instanceof FaultError) return thrown.fault;
  const { code, message } = thrown as NodeJS.ErrnoException;
  return thrown instanceof Error && typeof code === 'string' && OF_FILES.has(code)
    ? fault('DATA_DIR_UNUSABLE', `${message}; run the command as the user whose broker it is`)
    : toFault(thrown);
};
