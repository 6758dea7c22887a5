import { runningProcesses } from '../support/processes.js';
import { waitFor } from '../support/wait-for.js';

/** The processes of a test file: it leads a group of its own, in which all that it starts is, unless that detaches. */
export const membersOf = (groupId: number): { pid: number; command: string }[] =>
  runningProcesses().filter((running) => running.groupId === groupId);

/** Signals all of them; none left is no error. */
export const signalGroup = (groupId: number, signal: NodeJS.Signals): void => {
  try {
    process.kill(-groupId, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
};

/** Whether the group is empty within the time. */
export const emptiesWithin = (groupId: number, timeoutMs: number): Promise<boolean> =>
  waitFor('the process group to be empty', () => membersOf(groupId).length === 0, timeoutMs).catch(
    () => false,
  );
