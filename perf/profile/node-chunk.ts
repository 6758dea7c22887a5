import type { Profiler } from 'node:inspector';

/** Where a Node process writes its samples. */
export const PROFILE_DIR = 'TALLYSTICK_PROFILE_DIR';
/** What it calls itself; absent: by its program. */
export const PROFILE_NAME = 'TALLYSTICK_PROFILE_NAME';
/** How the name of a file ends that is written whole. */
export const CHUNK_END = '.samples.json';
/** How the name of a file ends that has the path of another folder with samples. */
export const FOLDER_END = '.folder';

/** About a second of one thread. */
export interface NodeChunk {
  readonly name: string;
  readonly pid: number;
  /** 0 is the main thread. */
  readonly thread: number;
  readonly profile: Profiler.Profile;
}
