import type { Command } from 'commander';

/** Adds a command; the words behind its name are for a group, which has commands of its own to choose from. */
export type Add = (parent: Command, words: readonly string[]) => Promise<void> | void;

/**
 * Commands by name, in the order of the help. Their files import what they need from where it is, and not from the index
 * of its room, which would load the room whole: `replay history` loads 116 files, and would load 283.
 */
export type LazyCommands = Readonly<Record<string, () => Promise<Add>>>;

/**
 * Adds the command that the words ask for, and loads the files of no other; all of them where none is asked for, or one
 * that there is not: for the help, and what was meant.
 */
export const addWanted = async (
  parent: Command,
  commands: LazyCommands,
  words: readonly string[],
): Promise<void> => {
  const at = words.findIndex((word) => !word.startsWith('-'));
  const name = words[at] ?? '';
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
  const behind = load === undefined ? [] : words.slice(at + 1);
  const adds = await Promise.all((load === undefined ? Object.values(commands) : [load]).map((it) => it()));
  for (const add of adds) await add(parent, behind);
};
