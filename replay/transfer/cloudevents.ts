import type { ExportHead } from '../../schemas/export.js';
import { isRight } from 'fp-ts/lib/Either.js';
import { HEADER } from '../../schemas/headers.js';
import { parseIdentity } from '../../schemas/identity.js';
import { parseJson } from '../../schemas/json.js';
import type { HistoryRecord, WholeMessage } from '../../schemas/record.js';
import type { Found } from '../history/history.js';
import { type ExportFormat, lastOf } from './export-format.js';
import { headersField } from './ndjson.js';
import { jsonText, toBase64 } from './payload.js';
import { formatStoredTime } from './stored-time.js';

/** What `source` begins with; the log's identity follows. */
export const SOURCE = '/tallystick/logs/';

const JSON_TYPE = /^application\/(?:[^;]+\+)?json\b/i;
const SEQUENCE_DIGITS = 16;

/** The extension `sequence` of CloudEvents is ordered by its letters. */
export const padded = (seq: number): string => `${seq}`.padStart(SEQUENCE_DIGITS, '0');

const typeOf = ({ kind, module, name }: HistoryRecord): string =>
  module === null ? `tallystick.${kind}` : `tallystick.${kind}.${module}.${name}`;

/**
 * Integers of CloudEvents have 32 bits, so what is a number here is text there. All of it can be read from `tallyheaders`
 * too, which is what an import goes by.
 */
const extensions = (message: WholeMessage, { cause, conversation }: HistoryRecord): object => {
  const id = parseIdentity(message.header(HEADER.id) ?? '');
  return {
    cause: cause === null ? undefined : `${cause}`,
    conversation: conversation === null ? undefined : `${conversation}`,
    producer: id?.producer,
    producerepoch: id === undefined ? undefined : `${id.epoch}`,
    producernumber: id === undefined ? undefined : `${id.n}`,
    part: message.header(HEADER.part),
    schemaversion: message.header(HEADER.schema),
    deadline: message.header(HEADER.deadline),
    traceparent: message.header(HEADER.trace),
  };
};

/** `data` for JSON that prints back to the same bytes, else `data_base64`; neither for an empty payload. */
const payload = (message: WholeMessage): string => {
  const { data } = message;
  if (data.length === 0) return '';
  const given = message.header(HEADER.contentType);
  const json = given === undefined || JSON_TYPE.test(given) ? jsonText(data) : undefined;
  const type = given ?? (isRight(parseJson(data)) ? 'application/json' : 'application/octet-stream');
  const value = json === undefined ? `"data_base64":"${toBase64(data)}"` : `"data":${json}`;
  return `,"datacontenttype":${JSON.stringify(type)},${value}`;
};

const line = ({ message, record }: Found, log: ExportHead): string => {
  const last = lastOf(log);
  const attributes = JSON.stringify({
    specversion: '1.0',
    id: `${message.seq}`,
    source: `${SOURCE}${encodeURI(log.logId)}`,
    type: typeOf(record),
    subject: message.subject,
    time: formatStoredTime(message.nanos),
    sequence: padded(message.seq),
    exportend: last === undefined ? undefined : padded(last),
    ...extensions(message, record),
    tallyheaders: `{${headersField(message.headerBytes)}}`,
  });
  return `${attributes.slice(0, -1)}${payload(message)}}\n`;
};

/** CloudEvents 1.0 in JSON, one a line; every line stands alone. Lossless. */
export const cloudevents: ExportFormat = { head: () => '', line };
