import type { ChildProcess } from 'node:child_process';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { type Fault, fault } from '../../schemas/errors.js';
import type { FoldedStep, FromRunner, Item, Setup, ToRunner, ItemVerdict } from './runner-messages.js';
import { type RunnerCode, startRunner } from './runner-process.js';

/** A process whose event loop has not turned for so long hangs. */
const HANG_MS = 10_000;

/** Loading may wait for what a module needs at its start. */
const LOAD_MS = 30_000;
/** Processes that commands may end, before the code is taken to be of no use. */
const MAX_DEATHS = 20;

export interface RunnerOptions extends Omit<Setup, 'kind'>, Omit<RunnerCode, 'manifest'> {
  readonly hangMs?: number;
}

interface TakenItems {
  readonly verdicts: readonly ItemVerdict[];
  readonly steps: readonly FoldedStep[];
}

/** Why the process gave no answer. */
type Death = { readonly died: string };

/**
 * Runs the code of a module in a separate process. It keeps the resulting states, so that a process that dies, or
 * hangs and is killed, is replaced: the command that did that is answered as the host would have answered it.
 */
export class Runner implements AsyncDisposable {
  readonly #states = new Map<string, string>();
  #seen = new Set<string>();
  #child: ChildProcess | undefined;
  #deaths = 0;

  constructor(private readonly options: RunnerOptions) {}

  /** Handles a batch; one verdict for each item that was to be handled again. */
  async take(items: readonly Item[]): Promise<Either<Fault, readonly ItemVerdict[]>> {
    const taken = await this.#ask(items);
    if (isLeft(taken)) return taken;
    if (!('died' in taken.right)) return right(taken.right.verdicts);
    const [only] = items;
    if (items.length === 1 && only !== undefined) return this.#without(only, taken.right);
    // One of them did it: each by itself.
    const verdicts: ItemVerdict[] = [];
    for (const item of items) {
      const one = await this.take([item]);
      if (isLeft(one)) return one;
      verdicts.push(...one.right);
    }
    return right(verdicts);
  }

  /** Folds a batch; a step for each item that is to be told of and changed its agent. */
  async fold(items: readonly Item[]): Promise<Either<Fault, readonly FoldedStep[]>> {
    const taken = await this.#ask(items);
    if (isLeft(taken)) return taken;
    if (!('died' in taken.right)) return right(taken.right.steps);
    const [first, last] = [items[0]?.record.seq, items.at(-1)?.record.seq];
    const text = `the process of ${this.options.name} ${taken.right.died} while it folded records ${first} to ${last}`;
    return left(fault('FOLD_FAILED', text));
  }

  /** The state of an agent, JSON, behind what was taken; undefined: nothing changed it. */
  state(agent: string): string | undefined {
    return this.#states.get(agent);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  }

  /** The item that ended the process: what is recorded is folded, its command is not run again. */
  async #without({ again, ...item }: Item, { died }: Death): Promise<Either<Fault, readonly ItemVerdict[]>> {
    const { name } = this.options;
    const dead = fault(
      'FOLD_FAILED',
      `the process of ${name} ${died} while it folded record ${item.record.seq}`,
    );
    if (again === undefined) return left(dead);
    this.#deaths += 1;
    if (this.#deaths > MAX_DEATHS) {
      const text = `the process of ${name} ${died} at record ${item.record.seq}, after ${MAX_DEATHS} others that did not last`;
      return left(fault('MODULE_CODE_UNAVAILABLE', text));
    }
    const folded = await this.#ask([{ ...item, again: { ...again, crashes: true } }]);
    if (isLeft(folded)) return folded;
    return 'died' in folded.right ? left(dead) : right(folded.right.verdicts);
  }

  async #ask(items: readonly Item[]): Promise<Either<Fault, TakenItems | Death>> {
    if (this.#child === undefined) {
      const ready = await this.#begin();
      if (isLeft(ready)) return ready;
    }
    const given = items.map((item) => {
      const state = this.#seen.has(item.agent) ? undefined : this.#states.get(item.agent);
      this.#seen.add(item.agent);
      return state === undefined ? item : { ...item, state };
    });
    const answer = await this.#request({ kind: 'items', items: given }, this.options.hangMs ?? HANG_MS);
    if ('died' in answer) return right(answer);
    if (answer.kind === 'failed') return left(answer.fault);
    if (answer.kind !== 'done') return left(fault('INTERNAL', `the process answered ${answer.kind}`));
    for (const [agent, state] of answer.states) this.#states.set(agent, state);
    return right(answer);
  }

  async #begin(): Promise<Either<Fault, void>> {
    const { dir, entry, manifest, cascade, name, config } = this.options;
    this.#child = await startRunner(this.options);
    this.#seen = new Set();
    const answer = await this.#request({ kind: 'setup', dir, entry, manifest, cascade, config }, LOAD_MS);
    if ('died' in answer) {
      const text = `the code of ${name} in ${dir} cannot be run here: its process ${answer.died}`;
      return left(fault('MODULE_CODE_UNAVAILABLE', text));
    }
    return answer.kind === 'failed' ? left(answer.fault) : right(undefined);
  }

  /** Sends, and waits for the answer or the end of the process. */
  #request(message: ToRunner, hangMs: number): Promise<FromRunner | Death> {
    const child = this.#child as ChildProcess;
    return new Promise((resolve) => {
      let hung = false;
      const hang = (): void => {
        hung = true;
        child.kill('SIGKILL');
      };
      let timer = setTimeout(hang, hangMs);
      const end = (outcome: FromRunner | Death): void => {
        clearTimeout(timer);
        child.off('message', heard);
        child.off('exit', exited);
        resolve(outcome);
      };
      const heard = (answer: FromRunner): void => {
        clearTimeout(timer);
        if (answer.kind === 'alive') timer = setTimeout(hang, hangMs);
        else end(answer);
      };
      const exited = (code: number | null, signal: string | null): void => {
        this.#child = undefined;
        end({ died: hung ? 'hung' : signal === null ? `ended with exit code ${code}` : `died by ${signal}` });
      };
      child.on('message', heard);
      child.once('exit', exited);
      // A process that is gone by now says so by its exit.
      child.send(message, () => undefined);
    });
  }
}
