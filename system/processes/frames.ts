import { readSync, writeSync } from 'node:fs';

/** A frame is the number of its bytes, and JSON. */
export const HEAD_BYTES = 4;
export const MAX_FRAME_BYTES = 512 * 1024 * 1024;

export const frameOf = (value: unknown): Buffer => {
  const text = JSON.stringify(value);
  const bytes = Buffer.byteLength(text);
  const frame = Buffer.allocUnsafe(HEAD_BYTES + bytes);
  frame.writeUInt32LE(bytes);
  frame.write(text, HEAD_BYTES);
  return frame;
};

const exactly = (fd: number, bytes: number): Buffer | undefined => {
  const buffer = Buffer.allocUnsafe(bytes);
  for (let at = 0; at < bytes; ) {
    const got = readSync(fd, buffer, at, bytes - at, null);
    if (got === 0) return undefined;
    at += got;
  }
  return buffer;
};

/** The next frame of a pipe, waited for; undefined: the other side has closed it. */
export const nextFrame = (fd: number): unknown => {
  const head = exactly(fd, HEAD_BYTES);
  const body = head && exactly(fd, head.readUInt32LE());
  return body && JSON.parse(body.toString('utf8'));
};

export const sendFrame = (fd: number, value: unknown): void => {
  const frame = frameOf(value);
  for (let at = 0; at < frame.length; ) at += writeSync(fd, frame, at);
};
