import type { RawRecord } from '../../schemas/record.js';
import type { ExportFormat } from './export-format.js';
import { decodeHeaders } from '../../journal/wire/header-block.js';
import { jsonText, textOf, toBase64 } from './payload-text.js';
import { formatStoredTime } from './stored-time.js';

/** `"headers":{…}`, or `"headersBase64":"…"` if names and values would not give the same bytes. */
export const headersField = (bytes: Uint8Array): string => {
  const headers = decodeHeaders(bytes);
  return headers === undefined
    ? `"headersBase64":"${toBase64(bytes)}"`
    : `"headers":${JSON.stringify(headers)}`;
};

const subjectField = (bytes: Uint8Array): string => {
  const subject = textOf(bytes);
  return subject === undefined
    ? `"subjectBase64":"${toBase64(bytes)}"`
    : `"subject":${JSON.stringify(subject)}`;
};

/** A record as one line. Bytes that JSON cannot hold exactly are base64, so nothing is lost. */
const line = ({ seq, nanos, subjectBytes, headerBytes, data }: RawRecord): string => {
  const json = jsonText(data);
  const payload = json === undefined ? `"dataBase64":"${toBase64(data)}"` : `"data":${json}`;
  const place = `"seq":${seq},"time":"${formatStoredTime(nanos)}",${subjectField(subjectBytes)}`;
  return `{${place},${headersField(headerBytes)},${payload}}\n`;
};

/** One JSON object on a line: first the head, then the records. Lossless. */
export const ndjson: ExportFormat = {
  head: (log) => `${JSON.stringify(log)}\n`,
  line: ({ message }) => line(message),
};
