import type { Command } from 'commander';

/** Adds a command. The words after its name are for a group, which selects its subcommand by them. */
export type Add = (parent: Command, words: readonly string[]) => Promise<void> | void;

/**
 * Commands by name, in the order of the help. Their files import each name from the file that declares it, not from
 * the index of its room. An index loads the whole room: `replay history` loads 116 files, and would load 283.
 */
export type LazyCommands = Readonly<Record<string, () => Promise<Add>>>;

/**
 * Adds the command that the words name, and loads the files of no other command. If they name no known command, it
 * adds all: for the help, and for a suggestion.
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
