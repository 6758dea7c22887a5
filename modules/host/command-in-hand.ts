import { AsyncLocalStorage } from 'node:async_hooks';
import type { Command } from '../sdk/module-shape.js';

/**
 * Which command's handler the running code belongs to, across awaits: so the handler that ends the process can be
 * named, and a line that it prints says what it is about.
 */
export const inHand = new AsyncLocalStorage<Command>();

// A pure handler is over when it returns. A variable costs nothing, and an asynchronous context does.
let decided: Command | undefined;

/** Runs a pure handler. */
export const whileInHand = <T>(command: Command, run: () => T): T => {
  decided = command;
  try {
    return run();
  } finally {
    decided = undefined;
  }
};

/** The command whose handler runs now; undefined: none. */
export const commandInHand = (): Command | undefined => decided ?? inHand.getStore();
