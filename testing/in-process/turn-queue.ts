import { setImmediate } from 'node:timers';
import Denque from 'denque';
import type { SliceTimes } from '../../modules/host/schedule/command-scheduler.js';

/** After so many the event loop has its turn: modules may send each other commands for ever. */
const AT_ONCE = 1_000;

/** After so many turns of the event loop without anything new, all that is left waits for the clock or the outside. */
const QUIET_TURNS = 2;

/**
 * Does everything in one order, one thing after the other: so the same calls give the same log. It sets no timer.
 *
 * `setImmediate` is imported: fake timers of a test runner replace the global one.
 */
export class TurnQueue {
  readonly #waiting = new Denque<() => void>();
  #isRunning = false;
  #activity = 0;
  #isClosed = false;
  /** Each resolves a promise of `activity`. */
  readonly #listeners = new Set<() => void>();

  /** How the scheduler of a module's commands takes its turns. */
  readonly times: SliceTimes = {
    sliceMs: Number.POSITIVE_INFINITY,
    soon: (run) => this.add(run),
    later: (run) => this.add(run),
  };

  /** Runs something after all that waits. */
  add(run: () => void): void {
    if (this.#isClosed) return;
    this.#waiting.push(run);
    this.noteActivity();
    if (this.#isRunning) return;
    this.#isRunning = true;
    void Promise.resolve().then(() => this.#run());
  }

  /** Runs nothing more: modules may send each other commands for ever. */
  close(): void {
    this.#isClosed = true;
    this.#waiting.clear();
  }

  /** How much has happened so far. */
  get steps(): number {
    return this.#activity;
  }

  /** Something has happened: it is not quiet yet. */
  noteActivity(): void {
    this.#activity += 1;
    for (const resume of this.#listeners) resume();
    this.#listeners.clear();
  }

  /** Resolves when nothing happens any more by itself. */
  async quiet(): Promise<void> {
    for (let quiet = 0; quiet < QUIET_TURNS; ) {
      const before = this.#activity;
      await new Promise<void>((resume) => setImmediate(resume));
      quiet = this.#activity === before && !this.#isRunning ? quiet + 1 : 0;
    }
  }

  /** Resolves when something happens. */
  activity(): Promise<void> {
    return new Promise((resume) => void this.#listeners.add(resume));
  }

  #run(): void {
    for (let done = 0; done < AT_ONCE; done++) {
      const next = this.#waiting.shift();
      if (next === undefined) {
        this.#isRunning = false;
        return;
      }
      next();
    }
    setImmediate(() => this.#run());
  }
}
