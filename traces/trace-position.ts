import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { replaceFile } from '../system/files/durable-file.js';

/** Up to where spans are exported. */
export interface TracePosition {
  /** The log that it is about. */
  readonly logId: string;
  readonly position: number;
  /** Reading begins here after a restart: the fold needs the records of open commands, and exports none of them. */
  readonly from: number;
}

const FILE = 'traces.json';

const isSequence = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

/** The kept position; undefined: there is none that can be used for this log. */
export const readTracePosition = async (
  dataDir: string,
  logId: string,
): Promise<TracePosition | undefined> => {
  try {
    const found = JSON.parse(await readFile(join(dataDir, FILE), 'utf8')) as Partial<TracePosition>;
    const { position, from } = found;
    return found.logId === logId && isSequence(position) && isSequence(from)
      ? { logId, position, from: Math.min(from, position) }
      : undefined;
  } catch {
    return undefined;
  }
};

export const writeTracePosition = (dataDir: string, position: TracePosition): Promise<void> =>
  replaceFile(join(dataDir, FILE), `${JSON.stringify(position)}\n`);
