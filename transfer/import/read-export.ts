import { isLeft } from 'fp-ts/lib/Either.js';
import { FaultError, fault } from '../../schemas/errors.js';
import type { RawRecord } from '../../schemas/record.js';
import { type LineParser, parserFor } from './parse-line.js';
import { invalidLine, type Line, readLines } from './read-lines.js';

/** How to read an export. */
export interface ReadExportOptions {
  /** Accepts a part of a log too: the other records stay missing. Without it, sequences are 1, 2, 3 … */
  readonly partial?: boolean;
}

const parseJson = ({ number, text }: Line): unknown => {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalidLine(number, `it is not JSON: ${(error as Error).message}`);
  }
};

const checkOrder = (number: number, seq: number, before: number, partial: boolean): void => {
  if (seq <= before) throw invalidLine(number, `record ${seq} comes after ${before}`);
  if (partial || seq === before + 1) return;
  const missing = seq === before + 2 ? `record ${before + 1} is` : `records ${before + 1} to ${seq - 1} are`;
  const why = 'causes and conversations are sequences, and states are folds of the whole log';
  throw invalidLine(number, `${missing} missing: ${why}; --partial imports the others`);
};

const checkEnd = (parser: LineParser, last: number): void => {
  const end = parser.end();
  if (end === undefined || last >= end) return;
  const message = `the file ends with record ${last}, and its export went to ${end}: it was cut short`;
  throw new FaultError(fault('IMPORT_INVALID', message));
};

/**
 * The records of an export, as ndjson or CloudEvents; its first line decides. Throws IMPORT_INVALID with the number
 * of a wrong line, and at the end if the file was cut short.
 */
export async function* readExport(
  source: AsyncIterable<Uint8Array>,
  { partial = false }: ReadExportOptions = {},
): AsyncGenerator<RawRecord, void, void> {
  let parser: LineParser | undefined;
  let last = 0;
  for await (const lines of readLines(source)) {
    for (const line of lines) {
      const value = parseJson(line);
      if (parser === undefined) {
        const found = parserFor(value);
        if (isLeft(found)) throw invalidLine(line.number, found.left);
        parser = found.right.parser;
        if (!found.right.isRecord) continue;
      }
      const record = parser.record(value);
      if (isLeft(record)) throw invalidLine(line.number, record.left);
      checkOrder(line.number, record.right.seq, last, partial);
      last = record.right.seq;
      yield record.right;
    }
  }
  if (parser !== undefined) checkEnd(parser, last);
}
