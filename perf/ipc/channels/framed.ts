import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import type { Channel } from './channel.js';

const LENGTH_BYTES = 4;

/** Cuts a stream of bytes into messages: four bytes of length, then so many bytes. */
export const unframe = (handle: (message: Uint8Array) => void): ((chunk: Buffer) => void) => {
  let parts: Buffer[] = [];
  let held = 0;
  let wanted = LENGTH_BYTES;
  let inLength = true;
  const take = (): Buffer => {
    const all = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts, held);
    const piece = all.subarray(0, wanted);
    const rest = all.subarray(wanted);
    parts = rest.length === 0 ? [] : [rest];
    held = rest.length;
    return piece;
  };
  return (chunk) => {
    parts.push(chunk);
    held += chunk.length;
    while (held >= wanted) {
      const piece = take();
      if (inLength) wanted = piece.readUInt32LE(0);
      else {
        handle(piece);
        wanted = LENGTH_BYTES;
      }
      inLength = !inLength;
    }
  };
};

/** Messages over two streams of Node, as a program sends them that knows about backpressure. */
export const framed = (from: Readable, to: Writable, close: () => void): Channel => ({
  send: (message) => {
    const length = Buffer.allocUnsafe(LENGTH_BYTES);
    length.writeUInt32LE(message.length);
    to.cork();
    to.write(length);
    const hasRoom = to.write(message);
    to.uncork();
    return hasRoom ? undefined : once(to, 'drain').then(() => undefined);
  },
  onMessage: (handle) => {
    from.on('data', unframe(handle));
  },
  close,
});
