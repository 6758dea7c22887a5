import type { CageLayer } from '../../schemas/cage.js';

/** What the kernel said to a process that closed its own cage. */
export interface Kernel {
  /** Version of Landlock's interface; 0: none. */
  readonly landlock: number;
  /** Whether it takes a filter of system calls. */
  readonly calls: boolean;
}

/** The first version of Landlock with a layer, and of the kernel that brought it. */
const SINCE = {
  ports: { landlock: 4, linux: '6.7' },
  signals: { landlock: 6, linux: '6.12' },
} as const;
/** Before this version, Landlock lets a process cut a file that it may not write. The filter refuses it. */
const TRUNCATE = 3;

/** Why a layer is missing; undefined if it holds. */
export const whyMissing = (layer: CageLayer, { landlock, calls }: Kernel): string | undefined => {
  if (layer === 'limits') return undefined;
  if (layer === 'calls') return calls ? undefined : 'the kernel takes no filter of system calls (seccomp)';
  if (landlock === 0) return 'the kernel has no Landlock, or it is switched off';
  if (layer === 'files') {
    return landlock < TRUNCATE && !calls
      ? `Landlock version ${landlock} alone lets a process cut files: it needs seccomp too, or Linux 6.2`
      : undefined;
  }
  const since = SINCE[layer];
  return landlock >= since.landlock
    ? undefined
    : `Landlock has version ${landlock}, and needs ${since.landlock} (Linux ${since.linux})`;
};
