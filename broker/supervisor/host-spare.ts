import { type ChildProcess, spawn } from 'node:child_process';
import { type HostAssignment, MODULE_ENV } from '../../schemas/control.js';
import { DEFAULT_LIMITS } from '../../schemas/manifest.js';
import type { Reaper } from '../../system/processes/reaper.js';
import { inheritedEnvironment } from './inherited-environment.js';

/**
 * A host without a module: it has started Node and loaded its own files, and waits for its assignment. For a broker
 * whose modules are reloaded again and again: it saves half the time of a reload, and needs 60 MB of memory.
 */
export class HostSpare {
  #child: ChildProcess | undefined;
  #isClosed = false;

  constructor(
    private readonly hostEntry: string,
    private readonly reaper: Reaper,
  ) {}

  /** Starts one, unless one waits. */
  prepare(): void {
    if (this.#isClosed || this.#isWaiting) return;
    const heap = `--max-old-space-size=${DEFAULT_LIMITS.heapMb}`;
    const child = spawn(process.execPath, [heap, this.hostEntry], {
      env: { ...inheritedEnvironment(), [MODULE_ENV.spare]: '1' },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      detached: true,
    });
    this.reaper.track(child, { group: true });
    // Without it, a process that cannot be started would end the broker. A module then starts a process as usual.
    child.on('error', () => undefined);
    this.#child = child;
  }

  /** The host, which has its assignment; undefined if none waits, or if the module needs another heap. */
  take(assignment: HostAssignment, heapMb: number): ChildProcess | undefined {
    const child = this.#child;
    if (child === undefined || !this.#isWaiting || heapMb !== DEFAULT_LIMITS.heapMb) return undefined;
    this.#child = undefined;
    child.send(assignment, () => undefined);
    return child;
  }

  /** Ends the one that waits. Idempotent. */
  close(): void {
    this.#isClosed = true;
    this.#child?.kill('SIGKILL');
    this.#child = undefined;
  }

  get #isWaiting(): boolean {
    const child = this.#child;
    return (
      child?.pid !== undefined && child.connected && child.exitCode === null && child.signalCode === null
    );
  }
}
