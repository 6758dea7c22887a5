import { cpSync, existsSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { makeDirs } from '../../system/files/make-dirs.js';
import { FaultError, fault } from '../../schemas/errors.js';
import type { LossReport } from '../../schemas/operate.js';
import { replaceFileSync } from '../../system/files/durable-file.js';
import type { LogLoss } from './log-loss.js';
import { witnessPath } from './witness-file.js';

const REPORT = 'report.json';

const lostDir = (dataDir: string): string => join(dataDir, 'lost');

/** What was folded from the log, or remembers it. */
const derived = (dataDir: string): readonly string[] =>
  ['snapshots', 'index'].map((name) => join(dataDir, name)).filter((path) => existsSync(path));

const move = (from: string, to: string): void => {
  try {
    renameSync(from, to);
  } catch {
    // Another file system, say: what is not kept must not be thrown away, so the copy comes first and may throw.
    cpSync(from, to, { recursive: true });
    for (const name of readdirSync(from)) rmSync(join(from, name), { recursive: true });
  }
};

/**
 * Keeps snapshots, index and witness as they were, with a report of the loss, in `<data>/lost/<time>`: what is made
 * again is made from the log that is there. Throws DATA_DIR_UNUSABLE when they cannot be kept: what could not be
 * moved stands as it was.
 */
export const keepBeforeLoss = (dataDir: string, loss: LogLoss, at = new Date()): LossReport => {
  const dir = join(lostDir(dataDir), at.toISOString().replaceAll(':', '-'));
  const report: LossReport = { at: at.toISOString(), dir, ...loss };
  try {
    makeDirs(dir);
    replaceFileSync(join(dir, REPORT), `${JSON.stringify(report, undefined, 2)}\n`);
    const witness = witnessPath(dataDir);
    if (existsSync(witness)) cpSync(witness, join(dir, 'witness'));
    for (const path of derived(dataDir)) move(path, join(dir, path.slice(dataDir.length + 1)));
    return report;
  } catch (error) {
    const reason = (error as Error).message;
    throw new FaultError(
      fault('DATA_DIR_UNUSABLE', `${loss.message}; snapshots and index cannot be kept in ${dir}: ${reason}`),
    );
  }
};

/**
 * The losses whose copies are still kept, the oldest first: the operator removes the directory of a loss that is
 * dealt with.
 */
export const keptLosses = (dataDir: string): readonly LossReport[] => {
  const dir = lostDir(dataDir);
  if (!existsSync(dir)) return [];
  return readdirSync(dir)
    .sort()
    .flatMap((name) => {
      try {
        return [JSON.parse(readFileSync(join(dir, name, REPORT), 'utf8')) as LossReport];
      } catch {
        // A foreign file, or a loss that is being removed.
        return [];
      }
    });
};
