import { Argument, type Command } from 'commander';
import { printable } from '../../text/printable.js';
import { brokerNames } from '../completion/broker-names.js';
import { SCRIPTS, SHELLS, type Shell } from '../completion/shell-scripts.js';
import { wantedAt } from '../completion/wanted.js';
import { print, verbatim } from '../output/output.js';
import { withExamples } from '../output/run-command.js';

/** The script that a shell reads once. */
export const addCompletion = (program: Command): void => {
  const command = program
    .command('completion')
    .description('print a script that lets your shell complete commands, options and names')
    .addArgument(new Argument('<shell>', 'your shell').choices(SHELLS))
    .action((shell: Shell) => print(verbatim(SCRIPTS[shell].trimEnd())));
  withExamples(command, [
    "tallystick completion bash > ~/.tallystick.bash && echo 'source ~/.tallystick.bash' >> ~/.bashrc",
    "tallystick completion zsh > ~/.tallystick.zsh && echo 'source ~/.tallystick.zsh' >> ~/.zshrc",
    'tallystick completion fish > ~/.config/fish/conf.d/tallystick.fish',
  ]);
};

/** Makes the command tree for some words. */
export type BuildProgram = (words: readonly string[]) => Promise<Command>;

/** What the scripts ask at each key: the words after the program's name, the last one at the cursor. */
export const addComplete =
  (build: BuildProgram) =>
  (program: Command): void => {
    program
      .command('complete', { hidden: true })
      .description(
        'print the words that can stand in the place of the last one, for the scripts of `completion`',
      )
      .argument('[words...]', 'the words of the line')
      .action(async (words: readonly string[]) => {
        const word = words.at(-1) ?? '';
        const wanted = wantedAt(await build(words.slice(0, -1)), words);
        const names = await brokerNames(wanted, word);
        for (const { value, description } of [...wanted.candidates, ...names])
          if (value.startsWith(word)) print(verbatim(`${printable(value)}\t${printable(description)}`));
        if (wanted.paths !== undefined) print(`:${wanted.paths}`);
      });
  };
