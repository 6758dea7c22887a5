import { everyOnGrid } from '../../system/async/grid.js';
import { formatBytes } from '../../text/bytes.js';
import type { DiskRoom } from '../../system/files/disk-room.js';
import { type GroupUsage, groupUsages, leaderUsages, threadsOfMachine } from './group-usage.js';

/** A module that runs. */
export interface WatchedModule {
  readonly name: string;
  /** Its process, which leads a group that no child can leave. */
  readonly pid: number;
  readonly heapMb: number;
  /** Where it may write. */
  readonly dirs: readonly string[];
}

const MIB = 1024 * 1024;

/** What a module may have of the machine. The kernel has no limits of these for a group of processes. */
export const MOST_OF_MACHINE = {
  /** With its children. */
  processes: 128,
  /** Of all its processes, besides its heap. */
  memoryBytes: 1024 * MIB,
  /** Its files may take so much, or half of the disk that was free when it was first seen. */
  diskBytes: 256 * MIB,
  files: 20_000,
} as const;

/** Between two looks, milliseconds; after one that saw much change, a shorter time. */
const LOOK_MS = 2_000;
const SOON_MS = 200;
/** So many new threads, or so much less room on the disk, are a reason to look closer. */
const MANY_THREADS = 16;
const MUCH: DiskRoom = { bytes: 64 * MIB, files: 10_000 };

export interface ResourceWatchOptions {
  readonly modules: () => readonly WatchedModule[];
  /** Of the disk that modules write to. */
  readonly free: () => DiskRoom;
  /** What directories take of it; it need not count more files than `most`. */
  readonly taken: (dirs: readonly string[], most: number) => DiskRoom;
  readonly cut: (module: string, what: string) => void;
}

/**
 * Finds modules that take the processes, the memory or the disk of all others. A look costs a few short files. Only
 * when the machine has many more threads, or much less room, it looks at all processes, or at all files.
 */
export class ResourceWatch {
  readonly #ends: () => void;
  #soon: NodeJS.Timeout | undefined;
  #threads = 0;
  #free: DiskRoom | undefined;
  /** A group had children when it was looked at last. */
  #hasChildren = false;
  /** What the files of each module may take: it stays for its later processes. */
  readonly #room = new Map<string, number>();

  constructor(private readonly options: ResourceWatchOptions) {
    this.#ends = everyOnGrid(LOOK_MS, () => this.look());
  }

  close(): void {
    this.#ends();
    clearTimeout(this.#soon);
  }

  look(): void {
    const modules = this.options.modules();
    if (modules.length === 0) return;
    const isClose = [this.#lookAtProcesses(modules), this.#lookAtDisk(modules)].includes(true);
    if (!isClose) return;
    clearTimeout(this.#soon);
    this.#soon = setTimeout(() => this.look(), SOON_MS).unref();
  }

  /** Whether there are many more of them than before. */
  #lookAtProcesses(modules: readonly WatchedModule[]): boolean {
    const threads = threadsOfMachine();
    if (threads === undefined) return false;
    const isMany = threads - this.#threads >= MANY_THREADS;
    this.#threads = isMany ? threads : Math.min(this.#threads, threads);
    const groups = new Set(modules.map(({ pid }) => pid));
    const usages = isMany || this.#hasChildren ? groupUsages(groups) : leaderUsages(groups);
    this.#hasChildren = [...usages.values()].some(({ processes }) => processes > 1);
    for (const module of modules) {
      const what = tooMuch(module, usages.get(module.pid));
      if (what !== undefined) this.options.cut(module.name, what);
    }
    return isMany;
  }

  /** Whether much of it was taken since the last look at the files. */
  #lookAtDisk(modules: readonly WatchedModule[]): boolean {
    const { free, taken, cut } = this.options;
    const left = free();
    const before = this.#free ?? left;
    const isMuch = before.bytes - left.bytes >= MUCH.bytes || before.files - left.files >= MUCH.files;
    const isNew = modules.some(({ name }) => !this.#room.has(name));
    this.#free = {
      bytes: isMuch ? left.bytes : Math.max(before.bytes, left.bytes),
      files: isMuch ? left.files : Math.max(before.files, left.files),
    };
    if (!isMuch && !isNew) return false;
    for (const { name, dirs } of modules) {
      const { files, bytes } = taken(dirs, MOST_OF_MACHINE.files);
      const room = this.#room.get(name) ?? bytes + Math.max(MOST_OF_MACHINE.diskBytes, left.bytes / 2);
      this.#room.set(name, room);
      if (files > MOST_OF_MACHINE.files) cut(name, `${MOST_OF_MACHINE.files} files`);
      else if (bytes > room) cut(name, `${formatBytes(room)} of the disk`);
    }
    return isMuch;
  }
}

/** What a module takes too much of, in words; undefined: nothing. */
const tooMuch = (
  { heapMb }: WatchedModule,
  { processes, memoryBytes }: GroupUsage = { processes: 0, memoryBytes: 0 },
): string | undefined => {
  if (processes > MOST_OF_MACHINE.processes) return `${MOST_OF_MACHINE.processes} processes`;
  const most = MOST_OF_MACHINE.memoryBytes + heapMb * MIB;
  return memoryBytes > most ? `${formatBytes(most)} of memory` : undefined;
};
