import { main } from './main.js';
import { endWhenWritten } from './output/output-end.js';

export { main };

/** The command line, from the arguments of the process to its end. */
export const runCommandLine = async (): Promise<void> => {
  await main();
  // A socket that still dials a dead address would keep the process alive for as long as the system tries.
  endWhenWritten();
};
