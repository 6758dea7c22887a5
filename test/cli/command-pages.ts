import type { Command } from 'commander';
import { buildProgram } from '../../bin/main.js';

/** One page of help: a command with the words that select it. */
export interface CommandPage {
  /** `` for the program itself, `module load` for a subcommand. */
  readonly name: string;
  readonly command: Command;
  readonly help: string;
}

const helpOf = (command: Command, columns: number): string => {
  let text = '';
  command.configureOutput({ writeOut: (part) => (text += part), getOutHelpWidth: () => columns });
  command.outputHelp();
  return text;
};

const below = (command: Command): readonly Command[] =>
  command
    .createHelp()
    .visibleCommands(command)
    .filter((one) => one.name() !== 'help');

const pagesOf = (command: Command, words: readonly string[], columns: number): readonly CommandPage[] => [
  { name: words.join(' '), command, help: helpOf(command, columns) },
  ...below(command).flatMap((one) => pagesOf(one, [...words, one.name()], columns)),
];

/** Every page of `--help`, as the command tree has them for a person who types `typed`. */
export const commandPages = async (columns = 80, typed = 'tallystick'): Promise<readonly CommandPage[]> =>
  pagesOf(await buildProgram([], typed), [], columns);
