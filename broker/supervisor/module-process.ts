import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process';
import { constants, setPriority } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import * as E from 'fp-ts/lib/Either.js';
import { API_PREFIX, MODULE_ENV } from '../../schemas/control.js';
import { type Fault, fault } from '../../schemas/errors.js';
import type { LogLevel } from '../../schemas/log-lines.js';
import { limitsOf } from '../../schemas/manifest.js';
import { boundedLines } from '../../system/lines/bounded-lines.js';
import { type ProcessLine, processLine } from '../../system/lines/process-line.js';
import { LastLines } from '../../system/lines/last-lines.js';
import { ProcessClock } from '../../system/processes/process-clock.js';
import type { Reaper } from '../../system/processes/reaper.js';
import type { ProcessConfig } from '../config/module-configs.js';
import { ConfigPipe } from './config-pipe.js';
import type { HostSpare } from './host-spare.js';
import { inheritedEnvironment } from './inherited-environment.js';
import type { ModuleSource } from './manifest-file.js';
import type { ModuleCages } from './module-cages.js';

/** How a process ended: `exit:<code>`, `signal:<name>`, `hang` when it was replaced for its silence. */
export type ProcessEnd = `exit:${number}` | `signal:${string}` | 'hang' | 'cut' | `spawn:${string}`;

export interface ModuleProcessOptions {
  readonly source: ModuleSource;
  /** The program of this package that runs a JavaScript module. */
  readonly hostEntry: string;
  readonly natsUrl: string;
  /**
   * The module's credential; undefined: its code is tried, without a right to anything. See {@link
   * ModuleProcess.trial}.
   */
  readonly seed: string | undefined;
  /** JSON of the keys of its agents, if it encrypts. */
  readonly keys?: string | undefined;
  readonly snapshotsDir: string;
  /** The configuration of the module; undefined: it declares none, or its code is only tried. */
  readonly config?: ProcessConfig | undefined;
  /** How the process before ended, or `none`. */
  readonly lastExit: ProcessEnd | 'none';
  /** Tells the process apart from all others of the module. */
  readonly instance: string;
  /** A debugger may attach here, from this machine. */
  readonly inspectPort?: number | undefined;
  /** Hosts that wait for a module, if the broker has such. */
  readonly spare?: HostSpare | undefined;
  readonly cages: ModuleCages;
  readonly reaper: Reaper;
  readonly onLine: (line: ProcessLine) => void;
}

/** A program in another language finds its seed in the environment; the host of this package does not. */
const credential = ({ source, seed }: ModuleProcessOptions): NodeJS.ProcessEnv => {
  if (seed === undefined) return { [MODULE_ENV.trial]: '1' };
  return 'command' in source.manifest.start
    ? { [MODULE_ENV.seed]: seed }
    : { [MODULE_ENV.seedFd]: `${SEED_FD}` };
};

const environment = (options: ModuleProcessOptions): NodeJS.ProcessEnv => ({
  ...inheritedEnvironment(),
  ...options.cages.environment(options.source.manifest.name),
  [MODULE_ENV.name]: options.source.manifest.name,
  [MODULE_ENV.url]: options.natsUrl,
  ...credential(options),
  ...(options.config === undefined ? {} : { [MODULE_ENV.configFd]: `${CONFIG_FD}` }),
  [MODULE_ENV.apiPrefix]: API_PREFIX,
  [MODULE_ENV.snapshots]: options.snapshotsDir,
  [MODULE_ENV.manifest]: options.source.manifestPath,
  ...(options.source.manifestDigest === undefined
    ? {}
    : { [MODULE_ENV.manifestDigest]: options.source.manifestDigest }),
  [MODULE_ENV.lastExit]: options.lastExit,
  [MODULE_ENV.instance]: options.instance,
});

const commandLine = ({
  source,
  hostEntry,
  inspectPort,
}: ModuleProcessOptions): readonly [string, readonly string[]] => {
  const { start } = source.manifest;
  if ('command' in start) return [start.command[0] as string, start.command.slice(1)];
  const heap = `--max-old-space-size=${limitsOf(source.manifest).heapMb}`;
  const inspect = inspectPort === undefined ? [] : [`--inspect=127.0.0.1:${inspectPort}`];
  return [process.execPath, [heap, ...inspect, hostEntry, source.dir, start.entry]];
};

/** The first descriptor behind standard input, output and errors. */
const SEED_FD = 3;

/** Descriptor of the configuration, also in a process that waits as a spare. */
export const CONFIG_FD = 4;

const giveSeed = (child: ChildProcess, seed: string): void => {
  const pipe = child.stdio[SEED_FD] as Writable;
  // A process that has ended already says so by its end.
  pipe.on('error', () => undefined);
  pipe.end(seed, () => pipe.destroy());
};

const spawned = (options: ModuleProcessOptions): ChildProcess => {
  const { source, seed, snapshotsDir, inspectPort, cages, config } = options;
  const [program, args] = cages.around(commandLine(options), {
    source,
    inspectPort,
    ...(seed === undefined ? { trialIn: snapshotsDir } : {}),
  });
  const isGivenSeed = seed !== undefined && 'entry' in source.manifest.start;
  // A separate group: a Ctrl-C in the terminal reaches the broker alone, which then drains its modules.
  const child = spawn(program, args, {
    cwd: options.source.dir,
    env: environment(options),
    stdio: [
      'ignore',
      'pipe',
      'pipe',
      seed === undefined ? 'ipc' : isGivenSeed ? 'pipe' : 'ignore',
      ...(config === undefined ? [] : (['pipe'] as const)),
    ],
    serialization: 'advanced',
    detached: true,
  });
  options.reaper.track(child, { group: true });
  if (isGivenSeed && child.pid !== undefined)
    giveSeed(child, options.keys === undefined ? seed : `${seed}\n${options.keys}`);
  return child;
};

/** A host that waits, if there is one and it fits: no trial, no debugger, no program in another language. */
const assigned = (options: ModuleProcessOptions): ChildProcess | undefined => {
  const { source, seed, keys, inspectPort, spare } = options;
  const { start } = source.manifest;
  if (seed === undefined || inspectPort !== undefined || 'command' in start) return undefined;
  const given = { seed, ...(keys === undefined ? {} : { keys }) };
  const assignment = {
    ...given,
    args: [source.dir, start.entry],
    cwd: source.dir,
    env: environment(options),
  };
  return spare?.take(assignment, source);
};

/** What a process printed is read to its end, unless one that it started holds its output open. */
const OUTPUT_END_MS = 500;

/** A trial must not take the processor from the modules that run. Its threads and children have the same priority. */
const runLate = (pid: number | undefined): void => {
  if (pid === undefined) return;
  try {
    setPriority(pid, constants.priority.PRIORITY_LOW);
  } catch {
    // It has ended, or the system does not allow it: the trial is only less polite.
  }
};

/** One process of a module, from its start to its end. */
export class ModuleProcess {
  /** What it printed last. All of it once {@link ended} has resolved. */
  readonly said = new LastLines();
  /** Stands still while the process waits for a processor. */
  readonly clock: ProcessClock;
  readonly isCaged: boolean;
  readonly #config: ConfigPipe | undefined;
  readonly #child: ChildProcess;
  #hung = false;
  /** Resolves with how the process ended; never rejects. */
  readonly ended: Promise<ProcessEnd>;

  private constructor(options: ModuleProcessOptions) {
    if (options.seed !== undefined) options.cages.emptyTemporary(options.source);
    const child = (assigned(options) ?? spawned(options)) as ChildProcessByStdio<null, Readable, Readable>;
    this.#child = child;
    this.clock = new ProcessClock(child.pid ?? null);
    this.isCaged = options.cages.areClosed;
    this.#config = ConfigPipe.of(child.stdio[CONFIG_FD], options);
    if (options.seed === undefined) runLate(child.pid);
    const printing =
      (level: LogLevel) =>
      (printed: string): void => {
        const line = processLine(printed, level);
        const msg = this.#config?.hidden(line.msg) ?? line.msg;
        for (const each of msg.split('\n')) this.said.add(each);
        options.onLine({ ...line, msg });
      };
    boundedLines(child.stdout, printing('info'));
    boundedLines(child.stderr, printing('warn'));
    const closed = new Promise((resolve) => child.once('close', resolve));
    this.ended = new Promise((resolve) => {
      child.once('error', (error) => resolve(`spawn:${error.message}`));
      child.once('exit', (code, signal) => {
        const end: ProcessEnd = this.#hung
          ? 'hang'
          : signal === null
            ? `exit:${code ?? 0}`
            : `signal:${signal}`;
        // Its last words may be in the pipe still.
        const timer = setTimeout(() => resolve(end), OUTPUT_END_MS);
        void closed.then(() => {
          clearTimeout(timer);
          resolve(end);
        });
      });
    });
  }

  /**
   * Most reasons for a program not to run are told by {@link ended}; some, such as a directory that is none, at once.
   */
  static start(options: ModuleProcessOptions): E.Either<Fault, ModuleProcess> {
    return E.tryCatch(
      () => new ModuleProcess(options),
      (error) => fault('MODULE_START_FAILED', `its process cannot be started: ${(error as Error).message}`),
    );
  }

  get pid(): number | null {
    return this.#child.pid ?? null;
  }

  get running(): boolean {
    return this.#child.pid !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** The other end of its messages, where its code is tried. */
  get trial(): Pick<ChildProcess, 'send' | 'on'> {
    return this.#child;
  }

  /** The version of the configuration that it has; undefined: it has none. */
  get configVersion(): number | undefined {
    return this.#config?.version;
  }

  /** Gives it a new configuration while it runs. */
  tell(config: ProcessConfig): void {
    this.#config?.tell(config);
  }

  /** Ends a process that has gone silent. */
  killHung(): void {
    this.#hung = true;
    this.#child.kill('SIGKILL');
  }

  /** Asks the process to finish what it handles, and ends it when it has not within that time. */
  async stop(withinMs: number): Promise<void> {
    if (!this.running) return;
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), withinMs);
    await this.ended;
    clearTimeout(timer);
  }

  async kill(): Promise<void> {
    if (this.running) this.#child.kill('SIGKILL');
    await this.ended;
  }
}
