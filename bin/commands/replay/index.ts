import type { Command } from 'commander';
import { withExamples } from '../../run.js';
import { addDiff } from './diff.js';
import { addExport } from './export.js';
import { addHistory } from './history.js';
import { addImport } from './import.js';
import { addRebuild } from './rebuild.js';
import { addRun } from './run.js';
import { addState } from './state.js';
import { addTrace } from './trace.js';
import { addVerify } from './verify.js';

export const addReplay = (program: Command): void => {
  const group = program.command('replay').description('read the log back');
  withExamples(group, [
    'tallystick replay history --agent alice',
    'tallystick replay trace 17',
    'tallystick replay verify',
  ]);
  addHistory(group);
  addTrace(group);
  addState(group);
  addVerify(group);
  addDiff(group);
  addRun(group);
  addExport(group);
  addImport(group);
  addRebuild(group);
};
