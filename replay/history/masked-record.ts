import type { Masks } from '../../schemas/masks.js';
import { Payload } from '../../schemas/payload.js';
import type { HistoryRecord } from '../../schemas/record.js';

/** A record of history with its sensitive values hidden. */
export const maskedRecord = (masks: Masks, record: HistoryRecord): HistoryRecord => {
  const { bytes } = record.payload;
  const masked = masks.bytes(record.subject, bytes);
  return masked === bytes ? record : { ...record, payload: new Payload(masked) };
};
