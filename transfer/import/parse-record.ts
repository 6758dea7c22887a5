import { type Either, left, right } from 'fp-ts/lib/Either.js';
import { MAX_RECORD_BYTES } from '../../schemas/log.js';
import type { RawRecord } from '../../schemas/record.js';
import { splitSubject } from '../../schemas/subjects.js';
import { encodeHeaders, type Headers, headersProblem } from '../../journal/wire/header-block.js';
import { fromBase64 } from '../format/payload-text.js';
import { parseStoredTime } from '../format/stored-time.js';

/** A record as a format gives it. Its fields are not checked yet. */
export interface Given {
  readonly seq: number;
  readonly time: string;
  readonly subject?: string | undefined;
  readonly subjectBase64?: string | undefined;
  readonly headers?: Headers | undefined;
  readonly headersBase64?: string | undefined;
  /** JSON; `undefined`: none. */
  readonly data?: unknown;
  readonly dataBase64?: string | undefined;
}

/** Characters that end a subject on its way to the server. The server stores any other byte. */
const UNUSABLE = /[ \t\r\n]/;

const isSubject = (text: string): boolean =>
  splitSubject(text) !== undefined && !UNUSABLE.test(text) && !text.split('.').includes('');

const subjectOf = ({ subject, subjectBase64 }: Given): Either<string, Uint8Array> => {
  if ((subject === undefined) === (subjectBase64 === undefined))
    return left('it needs one of subject and subjectBase64');
  const bytes = subject === undefined ? fromBase64(subjectBase64 ?? '') : Buffer.from(subject);
  if (bytes === undefined) return left('subjectBase64 is not base64');
  const text = Buffer.from(bytes).toString('utf8');
  return isSubject(text) ? right(bytes) : left(`${JSON.stringify(text)} is not a subject of the log`);
};

const headersOf = ({ headers, headersBase64 }: Given): Either<string, Uint8Array> => {
  if ((headers === undefined) === (headersBase64 === undefined))
    return left('it needs one of headers and headersBase64');
  if (headersBase64 !== undefined) {
    // Any bytes are allowed: the server stores everything that a sender declares as headers.
    const bytes = fromBase64(headersBase64);
    return bytes === undefined ? left('headersBase64 is not base64') : right(bytes);
  }
  const problem = headersProblem(headers ?? {});
  if (problem !== undefined) return left(problem);
  return right(encodeHeaders(headers ?? {}));
};

const dataOf = ({ data, dataBase64 }: Given): Either<string, Uint8Array> => {
  if ((data === undefined) === (dataBase64 === undefined)) return left('it needs one of data and dataBase64');
  if (dataBase64 === undefined) {
    try {
      return right(Buffer.from(JSON.stringify(data)));
    } catch (error) {
      // Nested deeper than the stack. No export has that: such a payload is base64 there.
      return left(`data cannot be written: ${(error as Error).message}`);
    }
  }
  const bytes = fromBase64(dataBase64);
  return bytes === undefined ? left('dataBase64 is not base64') : right(bytes);
};

/** The record for the log, or the reason why the log cannot have it. */
export const parseRecord = (given: Given): Either<string, RawRecord> => {
  const { seq, time } = given;
  const nanos = parseStoredTime(time);
  if (nanos === undefined)
    return left(`${JSON.stringify(time)} is not an RFC 3339 time in UTC from 1970 to 2262`);
  const subject = subjectOf(given);
  if (subject._tag === 'Left') return subject;
  const headerBytes = headersOf(given);
  if (headerBytes._tag === 'Left') return headerBytes;
  const data = dataOf(given);
  if (data._tag === 'Left') return data;
  const bytes = headerBytes.right.length + data.right.length;
  if (bytes > MAX_RECORD_BYTES) return left(`a record of ${bytes} bytes is above ${MAX_RECORD_BYTES}`);
  const subjectBytes = subject.right;
  return right({
    seq,
    nanos,
    subject: Buffer.from(subjectBytes).toString('utf8'),
    subjectBytes,
    headerBytes: headerBytes.right,
    data: data.right,
  });
};
