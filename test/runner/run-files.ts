import { EventEmitter, once } from 'node:events';
import { type Batch, batchesOf } from './batches.js';
import { type FileRun, runBatch } from './run-batch.js';
import { signalGroup } from './process-group.js';
import { TIERS, type TierName } from './tiers.js';

export interface FileOfTier {
  readonly tier: TierName;
  readonly file: string;
}

export interface TierRun extends FileRun {
  readonly tier: TierName;
}

export interface FilesOptions {
  readonly env: Readonly<Record<TierName, NodeJS.ProcessEnv>>;
  readonly scratch: string;
  /** How many times as long as in the short form a file may take. */
  readonly timeoutFactor: number;
  /** Told each file as it ends. */
  readonly onEnd: (run: TierRun) => void;
}

/** Test files lead process groups of their own. Ctrl-C in a terminal does not reach them. */
const endWithThisProcess = (groups: ReadonlySet<number>): void => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      for (const group of groups) signalGroup(group, 'SIGKILL');
      process.exit(130);
    });
  }
};

/** Runs the files in their order. One tier begins while the last files of the tier before it end. */
export const runFiles = async (
  files: readonly FileOfTier[],
  { env, scratch, timeoutFactor, onEnd }: FilesOptions,
): Promise<TierRun[]> => {
  const groups = new Set<number>();
  endWithThisProcess(groups);
  const runs: TierRun[] = [];
  const running = new Set<Batch>();
  const ended = new EventEmitter();
  const run = async (batch: Batch): Promise<void> => {
    const { tier, files } = batch;
    const timeoutMs = TIERS[tier].fileTimeoutMs * timeoutFactor;
    for (const each of await runBatch(files, { env: env[tier], timeoutMs, scratch, groups })) {
      const result = { tier, ...each };
      runs.push(result);
      onEnd(result);
    }
    running.delete(batch);
    ended.emit('one');
  };
  const all: Promise<void>[] = [];
  for (const next of batchesOf(files)) {
    while (running.size >= TIERS[next.tier].width) await once(ended, 'one');
    running.add(next);
    const ending = run(next);
    ending.catch((error: unknown) => ended.emit('error', error));
    all.push(ending);
  }
  await Promise.all(all);
  return runs;
};
