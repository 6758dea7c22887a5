import type { NatsConnection } from 'nats';
import { FaultError, fault } from '../../schemas/errors.js';
import { readLogBatches } from '../../journal/read/reader.js';
import { encodeRecord } from './archive.js';
import type { StagedRecords } from './staged-records.js';

const differs = (message: string): FaultError => new FaultError(fault('IMPORT_DIFFERS', message));

/** Reads the bytes of the file, as many at a time as a record has. */
class Bytes {
  #rest: Buffer = Buffer.alloc(0);

  constructor(private readonly pieces: AsyncGenerator<Buffer, void, void>) {}

  /** Whether the next bytes equal these. */
  async match(wanted: Buffer): Promise<boolean> {
    while (this.#rest.length < wanted.length) {
      const next = await this.pieces.next();
      if (next.done === true) return false;
      this.#rest = Buffer.concat([this.#rest, next.value]);
    }
    const isSame = this.#rest.subarray(0, wanted.length).equals(wanted);
    this.#rest = this.#rest.subarray(wanted.length);
    return isSame;
  }
}

/**
 * Reads every record of the log back and compares it with the record to restore: sequence, time, subject, headers and
 * payload, byte by byte. Throws IMPORT_DIFFERS with the first difference, and as `readLog` does.
 */
export const compareLog = async (
  nc: NatsConnection,
  records: StagedRecords,
  onProgress: (records: number) => void,
): Promise<void> => {
  const bytes = new Bytes(records.pieces());
  let count = 0;
  for await (const batch of readLogBatches(nc)) {
    for (const record of batch) {
      if (!(await bytes.match(encodeRecord(record)))) {
        throw differs(`record ${record.seq} of the log, ${record.subject}, differs from the file`);
      }
      count += 1;
    }
    onProgress(count);
  }
  const { messages } = records.state;
  if (count !== messages) throw differs(`the log has ${count} records and the file ${messages}`);
};
