import type { Outbound } from './client-insides.js';

/** Some times as much as the client lets gather before it sends, which is 32 KiB. */
const CHUNK_BYTES = 128 * 1024;
/** What a large message has taken is given back. */
const MAX_KEPT = 1024 * 1024;

const NOTHING = Buffer.alloc(0);

/**
 * What a connection is to send, in one buffer from the first byte on. In the place of the client's list of buffers,
 * which are joined when they are sent: there each message is four buffers, and is copied twice.
 */
export class OutgoingBytes implements Outbound {
  #chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  /** Where the bytes begin that are not sent, and where they end. */
  #from = 0;
  #to = 0;

  /** `isSent`: whether the socket has sent all that it was given, so that its bytes may be written over. */
  constructor(private readonly isSent: () => boolean) {}

  size(): number {
    return this.#to - this.#from;
  }

  /** The client asks whether there is anything: 0 is nothing. */
  length(): number {
    return this.#to > this.#from ? 1 : 0;
  }

  reset(): void {
    this.#from = this.#to;
  }

  fill(...parts: readonly Uint8Array[]): void {
    for (const part of parts) {
      this.#room(part.length);
      this.#chunk.set(part, this.#to);
      this.#to += part.length;
    }
  }

  /** One message: its head as text with so many bytes, and its payload. */
  message(head: string, headBytes: number, payload: Uint8Array): void {
    this.#room(headBytes + payload.length + 2);
    const chunk = this.#chunk;
    let at = this.#to;
    // Of text that is ASCII, as nearly all is, latin1 gives the same bytes in less time.
    chunk.write(head, at, headBytes, headBytes === head.length ? 'latin1' : 'utf8');
    at += headBytes;
    chunk.set(payload, at);
    at += payload.length;
    chunk[at] = 13;
    chunk[at + 1] = 10;
    this.#to = at + 2;
  }

  /** All that is to be sent. */
  drain(): Uint8Array {
    if (this.#to === this.#from) return NOTHING;
    const bytes = this.#chunk.subarray(this.#from, this.#to);
    this.#from = this.#to;
    return bytes;
  }

  #room(bytes: number): void {
    const size = this.size();
    // From the begin again, where the processor's cache has it.
    if (size === 0 && this.#to > 0 && this.isSent()) {
      this.#from = 0;
      this.#to = 0;
      if (this.#chunk.length > MAX_KEPT) this.#chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
    }
    if (bytes <= this.#chunk.length - this.#to) return;
    const before = this.#chunk.subarray(this.#from, this.#to);
    this.#chunk = Buffer.allocUnsafeSlow(Math.max(CHUNK_BYTES, 2 * (size + bytes)));
    this.#chunk.set(before);
    this.#from = 0;
    this.#to = size;
  }
}
