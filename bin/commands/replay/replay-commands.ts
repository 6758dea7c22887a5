import { addWanted, type Add, type LazyCommands } from '../../options/lazy-commands.js';
import { withExamples } from '../../output/run-command.js';

const COMMANDS: LazyCommands = {
  history: async () => (await import('./history-command.js')).addHistory,
  trace: async () => (await import('./trace-command.js')).addTrace,
  state: async () => (await import('./state-command.js')).addState,
  verify: async () => (await import('./verify-command.js')).addVerify,
  diff: async () => (await import('./diff-command.js')).addDiff,
  run: async () => (await import('./replay-run-command.js')).addRun,
  export: async () => (await import('./export-command.js')).addExport,
  import: async () => (await import('./import-command.js')).addImport,
  rebuild: async () => (await import('./rebuild-command.js')).addRebuild,
};

export const addReplay: Add = async (program, words) => {
  const group = program.command('replay').description('read, prove and replay the log');
  withExamples(group, [
    'tallystick replay history --agent alice',
    'tallystick replay trace 17',
    'tallystick replay verify',
  ]);
  await addWanted(group, COMMANDS, words);
};
