import type { Command } from 'commander';
import { withExamples } from '../../run.js';
import { addDiff } from './diff.js';
import { addHistory } from './history.js';
import { addRebuild } from './rebuild.js';
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
  addState(group);
  addDiff(group);
  addRebuild(group);
  addTrace(group);
  addVerify(group);
};
