import { type FileHandle, mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { RawRecord } from '../../schemas/record.js';
import { encodeRecord, type RestoredState, storedBytes } from './archive.js';
import { MAX_CHUNK_BYTES } from './s2-frames.js';

const WRITE_BYTES = 1024 * 1024;

/**
 * The records to restore, in the server's form, in a file. So all of them are known to be good, and their number is
 * known, before anything is restored. The server waits at most five seconds for the next piece, even if the source is
 * slow.
 */
export class StagedRecords implements AsyncDisposable {
  #messages = 0;
  #bytes = 0;
  #firstSeq = 0;
  #lastSeq = 0;
  #length = 0;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;

  private constructor(
    private readonly dir: string,
    private readonly file: FileHandle,
  ) {}

  static async open(dataDir: string): Promise<StagedRecords> {
    const dir = join(dataDir, 'import');
    await rm(dir, { recursive: true, force: true });
    await mkdir(dir, { mode: 0o700 });
    return new StagedRecords(dir, await open(join(dir, 'records'), 'w+', 0o600));
  }

  get state(): RestoredState {
    return {
      messages: this.#messages,
      bytes: this.#bytes,
      first_seq: this.#firstSeq,
      last_seq: this.#lastSeq,
      consumer_count: 0,
    };
  }

  /** Bytes in the file. */
  get length(): number {
    return this.#length;
  }

  async add(record: RawRecord): Promise<void> {
    const entry = encodeRecord(record);
    if (this.#messages === 0) this.#firstSeq = record.seq;
    this.#messages += 1;
    this.#bytes += storedBytes(record);
    this.#lastSeq = record.seq;
    this.#waiting.push(entry);
    this.#waitingBytes += entry.length;
    if (this.#waitingBytes >= WRITE_BYTES) await this.flush();
  }

  async flush(): Promise<void> {
    const chunk = Buffer.concat(this.#waiting, this.#waitingBytes);
    this.#waiting = [];
    this.#waitingBytes = 0;
    await this.file.appendFile(chunk);
    this.#length += chunk.length;
  }

  /** All added bytes, in pieces of at most a chunk. */
  async *pieces(): AsyncGenerator<Buffer, void, void> {
    for (let at = 0; at < this.#length; ) {
      const buffer = Buffer.allocUnsafe(MAX_CHUNK_BYTES);
      const { bytesRead } = await this.file.read(buffer, 0, MAX_CHUNK_BYTES, at);
      if (bytesRead === 0) throw new Error(`${this.dir} ends before its end`);
      at += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.file.close();
    await rm(this.dir, { recursive: true, force: true });
  }
}
