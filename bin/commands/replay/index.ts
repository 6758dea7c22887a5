import { addWanted, type Add, type LazyCommands } from '../../lazy-commands.js';
import { withExamples } from '../../run.js';

const COMMANDS: LazyCommands = {
  history: async () => (await import('./history.js')).addHistory,
  trace: async () => (await import('./trace.js')).addTrace,
  state: async () => (await import('./state.js')).addState,
  verify: async () => (await import('./verify.js')).addVerify,
  diff: async () => (await import('./diff.js')).addDiff,
  run: async () => (await import('./run.js')).addRun,
  export: async () => (await import('./export.js')).addExport,
  import: async () => (await import('./import.js')).addImport,
  rebuild: async () => (await import('./rebuild.js')).addRebuild,
};

export const addReplay: Add = async (program, words) => {
  const group = program.command('replay').description('read the log back');
  withExamples(group, [
    'tallystick replay history --agent alice',
    'tallystick replay trace 17',
    'tallystick replay verify',
  ]);
  await addWanted(group, COMMANDS, words);
};
