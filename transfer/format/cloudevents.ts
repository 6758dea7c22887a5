import type { ExportHead } from '../../schemas/export.js';
import { isRight } from 'fp-ts/lib/Either.js';
import { HEADER } from '../../schemas/headers.js';
import { parseIdentity } from '../../schemas/identity.js';
import { parseJson } from '../../schemas/json.js';
import type { HistoryRecord, WholeMessage } from '../../schemas/record.js';
import type { FoundRecord } from '../../replay/history/read-history.js';
import { type ExportFormat, lastOf } from './export-format.js';
import { headersField } from './ndjson.js';
import { jsonText, textOf, toBase64 } from './payload-text.js';
import { formatStoredTime } from './stored-time.js';

/** The begin of `source`; the log's identity follows. */
export const SOURCE = '/tallystick/logs/';

/** Characters that no attribute of a CloudEvent may have: controls, halves of pairs, and noncharacters. */
const DISALLOWED = /[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/gu;

const codeUnits = (character: string): string =>
  [...Array(character.length).keys()]
    .map((at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`)
    .join('');

/** Text for an attribute: a character that is not allowed is written as its number, as in JSON. */
const attribute = (text: string): string => text.replace(DISALLOWED, codeUnits);

/** `type/subtype` and parameters, RFC 2046. */
const MEDIA_TYPE = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+\/[!#$%&'*+.^_`|~0-9A-Za-z-]+(?: *;[ -~]*)?$/;

const JSON_TYPE = /^application\/(?:[^;]+\+)?json\b/i;
const SEQUENCE_DIGITS = 16;

/** The extension `sequence` of CloudEvents is compared as text. */
export const padded = (seq: number): string => `${seq}`.padStart(SEQUENCE_DIGITS, '0');

const typeOf = ({ kind, module, name }: HistoryRecord): string =>
  attribute(module === null ? `tallystick.${kind}` : `tallystick.${kind}.${module}.${name}`);

/**
 * Integers of CloudEvents have 32 bits, so numbers are text here. `tallyheaders` has all headers too, and an import
 * uses it.
 */
const extensions = (message: WholeMessage, { cause, conversation }: HistoryRecord): object => {
  const id = parseIdentity(message.header(HEADER.id) ?? '');
  const header = (name: string): string | undefined => {
    const value = message.header(name);
    return value === undefined ? undefined : attribute(value);
  };
  return {
    cause: cause === null ? undefined : `${cause}`,
    conversation: conversation === null ? undefined : `${conversation}`,
    producer: id === undefined ? undefined : attribute(id.producer),
    producerepoch: id === undefined ? undefined : `${id.epoch}`,
    producernumber: id === undefined ? undefined : `${id.n}`,
    part: header(HEADER.part),
    schemaversion: header(HEADER.schema),
    deadline: header(HEADER.deadline),
    traceparent: header(HEADER.trace),
  };
};

/** `data` for JSON that gives the same bytes again, else `data_base64`; neither for an empty payload. */
const payload = (message: WholeMessage): string => {
  const { data } = message;
  if (data.length === 0) return '';
  const said = message.header(HEADER.contentType);
  const given = said !== undefined && MEDIA_TYPE.test(said) ? said : undefined;
  const json = given === undefined || JSON_TYPE.test(given) ? jsonText(data) : undefined;
  const type = given ?? (isRight(parseJson(data)) ? 'application/json' : 'application/octet-stream');
  const value = json === undefined ? `"data_base64":"${toBase64(data)}"` : `"data":${json}`;
  return `,"datacontenttype":${JSON.stringify(type)},${value}`;
};

/** The subject. If an attribute may not have it unchanged, `tallysubject` has its bytes too. */
const subjectOf = ({ subject, subjectBytes }: WholeMessage): object => {
  const shown = attribute(subject);
  return shown === textOf(subjectBytes)
    ? { subject: shown }
    : { subject: shown, tallysubject: toBase64(subjectBytes) };
};

const line = ({ message, record }: FoundRecord, log: ExportHead): string => {
  const last = lastOf(log);
  const attributes = JSON.stringify({
    specversion: '1.0',
    id: `${message.seq}`,
    source: `${SOURCE}${encodeURI(log.logId)}`,
    type: typeOf(record),
    ...subjectOf(message),
    time: formatStoredTime(message.nanos),
    sequence: padded(message.seq),
    exportend: last === undefined ? undefined : padded(last),
    ...extensions(message, record),
    // JSON itself: in it, the number of a character is that character.
    tallyheaders: attribute(`{${headersField(message.headerBytes)}}`),
  });
  return `${attributes.slice(0, -1)}${payload(message)}}\n`;
};

/** CloudEvents 1.0 in JSON, one on a line; every line is complete. Lossless. */
export const cloudevents: ExportFormat = { head: () => '', line };
