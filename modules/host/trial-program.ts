import * as E from 'fp-ts/lib/Either.js';
import { headerIn } from '../../link/header-text.js';
import { Snapshots } from '../../store/snapshots/snapshots.js';
import { FaultError } from '../../schemas/errors.js';
import type { StoredMessage } from '../../schemas/record.js';
import type { TrialAnswer, TrialGroup, TrialRecord } from '../../schemas/trial.js';
import { compileChecks } from '../sdk/checks.js';
import { compileFoldable } from '../sdk/fold.js';
import type { AnyModule } from '../sdk/module-shape.js';
import { sayLine as say } from './host-lines.js';
import { fold } from './read-past.js';
import { States } from './states.js';

const tell = (answer: TrialAnswer): void => {
  process.send?.(answer);
};

const messageOf = ({ seq, timeMs, subject, headerBytes, data }: TrialRecord): StoredMessage => {
  let text: string | undefined;
  return {
    seq,
    timeMs,
    time: new Date(timeMs).toISOString(),
    subject,
    data,
    header: (name) => {
      text ??= Buffer.from(headerBytes).toString('utf8');
      return headerIn(text, name);
    },
  };
};

/**
 * Does what a start does with a module's code, without a connection: compiles what its manifest says, and folds the
 * past that the broker sends into states in a directory that is thrown away. Throws what the code throws.
 */
export const runTrial = async (module: AnyModule, scratchDir: string): Promise<void> => {
  const read = compileFoldable(module);
  if (E.isLeft(read)) throw new FaultError(read.left);
  compileChecks(module.manifest);
  const snapshots = await Snapshots.open(scratchDir, 'none', say);
  const states = new States(module, snapshots.generation, 'trial', say);
  await new Promise<void>((resolve, reject) => {
    process.on('disconnect', () => reject(new Error('the broker is gone')));
    process.on('message', ({ records }: TrialGroup) => {
      if (records.length === 0) return resolve();
      try {
        for (const record of records) fold(read.right, states, messageOf(record));
      } catch (error) {
        return reject(error);
      }
      void (states.isFull ? states.room() : Promise.resolve()).then(() => tell('folded'));
    });
    tell('loaded');
  });
  await states.close();
  await snapshots.close();
};
