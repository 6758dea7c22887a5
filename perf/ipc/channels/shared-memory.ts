import { closeSync, openSync, writeFileSync } from 'node:fs';
import { loadFrom } from '../../peers/npm-packages.js';
import type { Channel } from './channel.js';
import { openRing, type Ring, ringBytes } from './ring.js';

/** The part of koffi that is used here: it calls C functions. It is no dependency, so its types are not there. */
interface Koffi {
  readonly load: (library: string) => {
    readonly func: (declaration: string) => (...args: unknown[]) => unknown;
  };
  readonly view: (pointer: unknown, bytes: number) => ArrayBuffer;
}

/** It must hold the largest message, and more than one. */
const CAPACITY = 4 * 1024 * 1024;
const RING_BYTES = ringBytes(CAPACITY);
const PROT_READ_WRITE = 3;
const MAP_SHARED = 1;
/** So often a reader looks at the ring before it lets the event loop do something else. */
const LOOKS = 2_000;
/** After so long without a message, a reader rests between two looks: the longer, the longer nothing came. */
const REST_AFTER_MS = 5;
const LONGEST_REST_MS = 50;

/** Makes the file that both processes map. */
export const makeSharedFile = (path: string): void => writeFileSync(path, Buffer.alloc(2 * RING_BYTES));

const map = (path: string, koffiFolder: string): ArrayBuffer => {
  const koffi = loadFrom<Koffi>(koffiFolder, 'koffi');
  const mmap = koffi.load('libc.so.6').func('void* mmap(void*, size_t, int, int, int, int64)');
  const file = openSync(path, 'r+');
  const pointer = mmap(null, 2 * RING_BYTES, PROT_READ_WRITE, MAP_SHARED, file, 0);
  closeSync(file);
  return koffi.view(pointer, 2 * RING_BYTES);
};

/** Waits for room without a pause: the reader is in another process. */
const untilWritten = async (ring: Ring, message: Uint8Array): Promise<void> => {
  while (!ring.write(message)) await new Promise((resolve) => setImmediate(resolve));
};

/** The sender writes the first ring and reads the second one, the receiver the other way round. */
export const openSharedMemory = (
  { path, koffi }: { readonly path: string; readonly koffi: string },
  end: 'sender' | 'receiver',
): Channel => {
  const memory = map(path, koffi);
  const rings = [openRing(memory, 0, CAPACITY), openRing(memory, RING_BYTES, CAPACITY)] as const;
  const [out, inward] = end === 'sender' ? rings : ([rings[1], rings[0]] as const);
  let isOpen = true;
  return {
    send: (message) => (out.write(message) ? undefined : untilWritten(out, message)),
    onMessage: (handle) => {
      let last = performance.now();
      const look = (): void => {
        if (!isOpen) return;
        let seen = false;
        for (let i = 0; i < LOOKS; i++) seen = inward.read(handle) || seen;
        const now = performance.now();
        if (seen) last = now;
        const quietMs = now - last;
        if (quietMs > REST_AFTER_MS) setTimeout(look, Math.min(LONGEST_REST_MS, quietMs / REST_AFTER_MS));
        else setImmediate(look);
      };
      look();
    },
    close: () => {
      isOpen = false;
    },
  };
};
