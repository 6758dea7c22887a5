import { type Either, flatMap, isLeft, left, mapLeft, right } from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import {
  type ExportedRecord,
  ExportedRecordSchema,
  type ExportHead,
  ExportHeadSchema,
} from '../../schemas/export.js';
import type { RawRecord } from '../../schemas/record.js';
import { compileOnUse } from '../../schemas/validate.js';
import { SOURCE } from '../format/cloudevents.js';
import { lastOf } from '../format/export-format.js';
import type { Headers } from '../../journal/wire/header-block.js';
import { type Given, parseRecord } from './parse-record.js';

/** Reads the lines of one format. Left: the problem of a line. */
export interface LineParser {
  readonly record: (value: unknown) => Either<string, RawRecord>;
  /** The last sequence of the file, if its lines name it; asked after the last line. */
  readonly end: () => number | undefined;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const head = compileOnUse<ExportHead>(ExportHeadSchema, 'IMPORT_INVALID', 'the first line');
const exported = compileOnUse<ExportedRecord>(ExportedRecordSchema, 'IMPORT_INVALID', 'the record');

const ndjsonLines = (log: ExportHead): LineParser => ({
  record: (value) =>
    pipe(
      exported(value),
      mapLeft(({ message }) => message),
      flatMap((record) =>
        parseRecord({ ...record, data: 'data' in record ? record.data : undefined } as Given),
      ),
    ),
  end: () => lastOf(log),
});

const PADDED = /^\d{16}$/;
const sequenceOf = (value: unknown): number | undefined =>
  typeof value === 'string' && PADDED.test(value) ? Number(value) : undefined;

const cloudEvent = (value: unknown): Either<string, Given & { readonly end: number | undefined }> => {
  if (!isObject(value) || value.specversion !== '1.0') return left('it is not a CloudEvent of version 1.0');
  const { source, subject, tallysubject, time, tallyheaders, data, data_base64: dataBase64 } = value;
  if (typeof source !== 'string' || !source.startsWith(SOURCE))
    return left('its source is not a log of Tallystick');
  const seq = sequenceOf(value.sequence);
  if (seq === undefined || seq === 0) return left('its sequence is not 16 digits');
  if (typeof subject !== 'string' || typeof time !== 'string') return left('its subject or time is missing');
  if (tallysubject !== undefined && typeof tallysubject !== 'string') return left('tallysubject is not text');
  if (dataBase64 !== undefined && typeof dataBase64 !== 'string') return left('data_base64 is not text');
  let headers: unknown;
  try {
    headers = JSON.parse(typeof tallyheaders === 'string' ? tallyheaders : '');
  } catch {
    return left('its tallyheaders are missing, or not JSON');
  }
  const own = exported({ seq, time, subject, ...(isObject(headers) ? headers : {}) });
  if (isLeft(own)) return left(own.left.message);
  const { headers: values, headersBase64 } = own.right as { headers?: Headers; headersBase64?: string };
  const isEmpty = !('data' in value) && dataBase64 === undefined;
  return right({
    seq,
    time,
    ...(tallysubject === undefined ? { subject } : { subjectBase64: tallysubject }),
    headers: values,
    headersBase64,
    data,
    dataBase64: isEmpty ? '' : dataBase64,
    end: sequenceOf(value.exportend),
  });
};

const cloudEventLines = (): LineParser => {
  let end: number | undefined;
  return {
    record: (value) =>
      pipe(
        cloudEvent(value),
        flatMap((given) => {
          end = given.end;
          return parseRecord(given);
        }),
      ),
    end: () => end,
  };
};

/** The format of the file, from its first line. `isRecord`: that line is a record itself. */
export const parserFor = (
  first: unknown,
): Either<string, { readonly parser: LineParser; readonly isRecord: boolean }> => {
  if (isObject(first) && 'specversion' in first) return right({ parser: cloudEventLines(), isRecord: true });
  if (!isObject(first) || !('tallystick' in first))
    return left('it is neither the first line of an export as ndjson nor a CloudEvent');
  return pipe(
    head(first),
    mapLeft(({ message }) => message),
    flatMap((log) => right({ parser: ndjsonLines(log), isRecord: false })),
  );
};
