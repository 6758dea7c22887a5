import { type ChildProcess, spawn } from 'node:child_process';
import { type HostAssignment, MODULE_ENV } from '../../schemas/control.js';
import { DEFAULT_LIMITS, limitsOf } from '../../schemas/manifest.js';
import type { Reaper } from '../../system/processes/reaper.js';
import { inheritedEnvironment } from './inherited-environment.js';
import type { ModuleSource } from './manifest-file.js';
import type { ModuleCages } from './module-cages.js';

/**
 * A host without a module: it has started Node and loaded its own files, and waits for its assignment. For a broker
 * whose modules are reloaded again and again: it saves half the time of a reload, and needs 60 MB of memory.
 */
export class HostSpare {
  #child: ChildProcess | undefined;
  /** The cage that it waits in: it can be the host of a module with the same one. */
  #cage: string | undefined;
  #isClosed = false;

  constructor(
    private readonly hostEntry: string,
    private readonly reaper: Reaper,
    private readonly cages: ModuleCages,
  ) {}

  /** Starts one for the next process of a module, unless one waits. Without one, that starts as usual. */
  prepare(source: ModuleSource): void {
    try {
      this.#start(source);
    } catch {
      // The module's next start meets the same problem, and reports it.
    }
  }

  #start(source: ModuleSource): void {
    const cage = this.cages.keyOf(source);
    if (this.#isClosed || (this.#isWaiting && this.#cage === cage)) return;
    this.#child?.kill('SIGKILL');
    const heap = `--max-old-space-size=${DEFAULT_LIMITS.heapMb}`;
    const [program, args] = this.cages.around([process.execPath, [heap, this.hostEntry]], { source });
    const child = spawn(program, args, {
      env: { ...inheritedEnvironment(), [MODULE_ENV.spare]: '1' },
      // The last is for the configuration of the module that it will host.
      stdio: ['ignore', 'pipe', 'pipe', 'ipc', 'pipe'],
      detached: true,
    });
    this.reaper.track(child, { group: true });
    // Without it, a process that cannot be started would end the broker.
    child.on('error', () => undefined);
    this.#child = child;
    this.#cage = cage;
  }

  /** The host, which has its assignment; undefined if none waits for this module, or if it needs another heap. */
  take(assignment: HostAssignment, source: ModuleSource): ChildProcess | undefined {
    const child = this.#child;
    const { heapMb } = limitsOf(source.manifest);
    if (child === undefined || !this.#isWaiting || heapMb !== DEFAULT_LIMITS.heapMb) return undefined;
    if (this.#cage !== this.cages.keyOf(source)) return undefined;
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
