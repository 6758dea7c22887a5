import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Either, left, right } from 'fp-ts/lib/Either.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { replaceFile, syncPath } from '../../system/files/durable-file.js';

const markPath = (dataDir: string): string => join(dataDir, 'import.json');

/** Whether an import into this directory began and did not end: what of the log is there is a part. */
export const isImportUnfinished = (dataDir: string): boolean => existsSync(markPath(dataDir));

/** IMPORT_UNFINISHED where a broker would take a part of a log for all of it. */
export const checkImportFinished = (dataDir: string): Either<Fault, void> =>
  isImportUnfinished(dataDir)
    ? left(
        fault(
          'IMPORT_UNFINISHED',
          `an import into ${dataDir} was interrupted: \`tallystick replay import\` starts over there, or remove the directory`,
        ),
      )
    : right(undefined);

/** Says on the disk that an import has begun, before it changes anything. */
export const markImport = (dataDir: string): Promise<void> =>
  replaceFile(
    markPath(dataDir),
    `${JSON.stringify({ since: new Date().toISOString(), pid: process.pid })}\n`,
  );

export const unmarkImport = async (dataDir: string): Promise<void> => {
  rmSync(markPath(dataDir), { force: true });
  await syncPath(dataDir);
};
