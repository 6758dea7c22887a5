/** The files of this process that have their turn later; 0 for a file that has a process to itself. */
export const batchState = { filesLeft: 0 };
