import * as E from 'fp-ts/lib/Either.js';
import { codeMsOf, passedOf } from './code-time.js';
import { nuid } from 'nats';
import { type Fault, fault } from '../../schemas/errors.js';
import { limitsOf } from '../../schemas/manifest.js';
import type { ModuleSource } from './manifest-file.js';
import { ModuleProcess, type ProcessEnd } from './module-process.js';
import type { ModuleSurroundings } from './module-surroundings.js';
import { StartClock } from './start-clock.js';
import { whenLate } from './when-late.js';

/** Longer than anyone debugs: the longest time of a timer. */
const UNLIMITED_MS = 2 ** 31 - 1;

export interface ProcessStartOptions {
  readonly source: ModuleSource;
  readonly around: ModuleSurroundings;
  /** How the process before ended. */
  readonly lastExit: ProcessEnd | 'none';
  /** The port of its inspector: it has all the time that a person takes. */
  readonly inspectPort: number | undefined;
  /** Whether the module is still to run. */
  readonly isWanted: () => boolean;
}

const REFUSED = ' (a cage refuses what the manifest does not ask for with `cage`)';

/** How a process ended, with the line that says why. */
export const whyEnded = ({ said, isCaged }: ModuleProcess, how: string): string => {
  // One that a signal has ended could not say why.
  if (!how.includes('(exit:')) return how;
  if (said.cause === undefined) return `${how} and printed nothing`;
  const isRefused = isCaged && /\b(?:EACCES|EPERM)\b|[Pp]ermission denied|not permitted/.test(said.cause);
  return `${how}: ${said.cause}${isRefused ? REFUSED : ''}`;
};

/** One start of a module's process, from its credential to the moment when it handles commands. */
export class ProcessStart {
  readonly instance = nuid.next();
  clock = new StartClock();
  /** Undefined until it runs. */
  process: ModuleProcess | undefined;
  /** How it ended, if it ended before it was ready. */
  end: ProcessEnd | undefined;
  /** The process that asked for its epoch last: its code is loaded. */
  #askedBy = '';
  #ready: (() => void) | undefined;

  constructor(private readonly options: ProcessStartOptions) {}

  /** A process asks for its epoch. */
  asked(instance: string | undefined): void {
    this.#askedBy = instance ?? this.instance;
  }

  isReady(): void {
    this.#ready?.();
  }

  /** A process that is ready, or why there is none; then nothing of it is left. */
  async run(): Promise<E.Either<Fault, ModuleProcess>> {
    const { source, around, lastExit, inspectPort, isWanted } = this.options;
    const { name } = source.manifest;
    // Kill and wait, new epoch, new credential, start: the order that a replacement must have.
    const key = await around.grant(source.manifest)();
    if (E.isLeft(key)) return key;
    const keys = around.keysOf?.(name) ?? E.right(undefined);
    if (E.isLeft(keys)) return keys;
    if (!isWanted()) return E.left(fault('MODULE_STATE', 'it was unloaded before its process began'));
    // Read last: a change from now on finds a process that it can replace.
    const config = around.configs?.forProcess(source.manifest) ?? E.right(undefined);
    if (E.isLeft(config)) return config;
    const { hostEntry, natsUrl, snapshotsDir, spare, cages, reaper, serverAnswers } = around;
    const ready = new Promise<'ready'>((resolve) => {
      this.#ready = () => resolve('ready');
    });
    const granted = cages.grantedText(source);
    if (granted !== undefined) around.log(name, granted);
    const spawned = ModuleProcess.start({
      source,
      hostEntry,
      natsUrl,
      seed: key.right.seed,
      keys: keys.right,
      config: config.right,
      snapshotsDir: snapshotsDir(name),
      lastExit,
      instance: this.instance,
      inspectPort,
      spare,
      cages,
      reaper,
      onLine: (line) => around.output(name, line),
    });
    if (E.isLeft(spawned)) return spawned;
    const process = spawned.right;
    this.process = process;
    const { startMs } = limitsOf(source.manifest);
    const clock = new StartClock(() => process.clock.now());
    this.clock = clock;
    const withinMs = inspectPort === undefined ? startMs : UNLIMITED_MS;
    const codeMs = inspectPort === undefined ? codeMsOf(source.manifest) : UNLIMITED_MS;
    const passedMs = (): number => passedOf(clock.stillMs, this.#isLoaded, { withinMs, codeMs });
    const late = whenLate({ withinMs, passedMs, heard: serverAnswers });
    const first = await Promise.race([ready, late.late, process.ended]);
    late.cancel();
    this.#ready = undefined;
    if (first === 'ready') {
      spare?.prepare(source);
      return E.right(process);
    }
    await process.kill();
    if (first !== 'late') this.end = first;
    const why =
      first === 'late' ? this.#whyLate(this.#isLoaded ? startMs : codeMs) : `its process ended (${first})`;
    return E.left(fault('MODULE_START_FAILED', whyEnded(process, why)));
  }

  /** Its code is loaded, so it has asked for its epoch. */
  get #isLoaded(): boolean {
    return this.#askedBy === this.instance;
  }

  #whyLate(startMs: number): string {
    const doing = this.#isLoaded ? 'it still folded its past' : 'its code was still being loaded';
    return `it was not ready within ${startMs} ms: ${doing}`;
  }
}
