import { closeSync, openSync, writeSync } from 'node:fs';

/** Bytes that wait before they are written, whatever the time. */
const CHUNK_CHARS = 64 * 1024;

/**
 * Writes down what was acknowledged, as it is (docs/reference/protocol.md#ledgers). What the system has taken survives
 * the death of this process; a line that its death cuts in two counts for nothing.
 */
export class LedgerWriter {
  readonly #file: number;
  #waiting = '';

  constructor(path: string) {
    this.#file = openSync(path, 'a');
  }

  add(subject: string, seq: number): void {
    this.#waiting += `{"seq":${seq},"subject":"${subject}"}\n`;
    if (this.#waiting.length >= CHUNK_CHARS) this.flush();
  }

  flush(): void {
    if (this.#waiting === '') return;
    const bytes = Buffer.from(this.#waiting, 'latin1');
    this.#waiting = '';
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#file, bytes, at);
  }

  close(): void {
    this.flush();
    closeSync(this.#file);
  }
}
