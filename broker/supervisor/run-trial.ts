import { codeMsOf } from './code-time.js';
import { rmSync } from 'node:fs';
import * as E from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { type Fault, fault, toFault } from '../../schemas/errors.js';
import { limitsOf } from '../../schemas/manifest.js';
import type { TrialAnswer, TrialGroup, TrialRecord } from '../../schemas/trial.js';
import type { ProcessLine } from '../../system/lines/process-line.js';
import type { Reaper } from '../../system/processes/reaper.js';
import { beginScratch } from '../../store/snapshots/scratch-folds.js';
import type { ModuleSource } from './manifest-file.js';
import type { ModuleCages } from './module-cages.js';
import { ModuleProcess, type ProcessEnd } from './module-process.js';
import { type Late, whenLate } from './when-late.js';

export interface TrialOptions {
  readonly source: ModuleSource;
  readonly hostEntry: string;
  readonly natsUrl: string;
  /** The module's own; the trial has a directory in it while it lasts. */
  readonly snapshotsDir: string;
  /** The module's part of the log, in groups. */
  readonly past: () => AsyncIterable<readonly TrialRecord[]>;
  readonly cages: ModuleCages;
  readonly reaper: Reaper;
  readonly onLine: (line: ProcessLine) => void;
}

/** What a trial found good. `isWhole`: the past was folded to its end; one that is long is not. */
export interface Tried {
  readonly records: number;
  readonly isWhole: boolean;
}

/** Records that are folded between two signs of life. */
const GROUP = 200;

const groupOf = (records: readonly TrialRecord[]): TrialGroup => ({
  records: records.map(({ seq, timeMs, subject, headerBytes, data }) => ({
    seq,
    timeMs,
    subject,
    headerBytes,
    data,
  })),
});

/** A trial has the lowest priority: what it waits for a processor is not its own time. */
const lateBy = ({ clock }: ModuleProcess, withinMs: number): Late => {
  const begun = clock.now();
  return whenLate({ withinMs, passedMs: () => clock.now() - begun });
};

/** The answers of the process, one at a time, and each within a time. */
class TrialDialogue {
  #answers: TrialAnswer[] = [];
  #heard: () => void = () => undefined;

  constructor(private readonly process: ModuleProcess) {
    process.trial.on('message', (answer) => {
      this.#answers.push(answer as TrialAnswer);
      this.#heard();
    });
    // One that has ended says so by its end.
    process.trial.on('error', () => undefined);
  }

  send(group: TrialGroup): void {
    this.process.trial.send(group, () => undefined);
  }

  /** Left: the process ended, or said nothing for so long. */
  async answer(withinMs: number): Promise<E.Either<ProcessEnd | 'late', TrialAnswer>> {
    const { late, cancel } = lateBy(this.process, withinMs);
    const heard = new Promise<undefined>((resolve) => {
      this.#heard = () => resolve(undefined);
    });
    if (this.#answers.length === 0) {
      const first = await Promise.race([heard, late, this.process.ended]);
      if (first !== undefined && this.#answers.length === 0) {
        cancel();
        return E.left(first);
      }
    }
    cancel();
    return E.right(this.#answers.shift() as TrialAnswer);
  }
}

const endText = (end: ProcessEnd, { said }: ModuleProcess): string =>
  said.cause === undefined ? `its process ended (${end})` : `its process ended (${end}): ${said.cause}`;

/** Folds the past in the process; left: what is wrong. */
const foldPast = async (
  process: ModuleProcess,
  conversation: TrialDialogue,
  { source, past }: TrialOptions,
): Promise<E.Either<string, Tried>> => {
  const { startMs, hangMs } = limitsOf(source.manifest);
  const until = performance.now() + startMs;
  let records = 0;
  for await (const batch of past()) {
    for (let from = 0; from < batch.length; from += GROUP) {
      if (performance.now() >= until) return E.right({ records, isWhole: false });
      const group = batch.slice(from, from + GROUP);
      conversation.send(groupOf(group));
      const folded = await conversation.answer(hangMs);
      if (E.isLeft(folded)) {
        const first = group[0]?.seq ?? 0;
        return E.left(
          folded.left === 'late'
            ? `it had not folded the records from ${first} on within ${hangMs} ms`
            : endText(folded.left, process),
        );
      }
      records += group.length;
    }
  }
  conversation.send({ records: [] });
  const { late, cancel } = lateBy(process, hangMs);
  const end = await Promise.race([process.ended, late]);
  cancel();
  if (end === 'late') return E.left(`its process did not end within ${hangMs} ms`);
  return end === 'exit:0' ? E.right({ records, isWhole: true }) : E.left(endText(end, process));
};

const tried = async (process: ModuleProcess, options: TrialOptions): Promise<E.Either<string, Tried>> => {
  const codeMs = codeMsOf(options.source.manifest);
  const conversation = new TrialDialogue(process);
  const loaded = await conversation.answer(codeMs);
  if (E.isRight(loaded)) return foldPast(process, conversation, options);
  return E.left(
    loaded.left === 'late'
      ? `its code was still being loaded after ${codeMs} ms`
      : endText(loaded.left, process),
  );
};

/**
 * Runs a module's code in a process that has no credential and no connection: it loads, fits its manifest, and folds
 * the past of the module. The module itself runs on. MODULE_START_FAILED says what is wrong.
 */
export const tryOut =
  (options: TrialOptions): TaskEither<Fault, Tried> =>
  async () => {
    const { name } = options.source.manifest;
    const scratch = beginScratch(options.snapshotsDir);
    try {
      const { source, hostEntry, natsUrl, cages, reaper, onLine } = options;
      const started = ModuleProcess.start({
        source,
        hostEntry,
        natsUrl,
        cages,
        reaper,
        onLine,
        seed: undefined,
        snapshotsDir: scratch,
        lastExit: 'none',
        instance: 'trial',
      });
      if (E.isLeft(started)) return started;
      const process = started.right;
      const outcome = await tried(process, options).finally(() => process.kill());
      if (E.isRight(outcome)) return outcome;
      const said = process.said.all.map((line) => `\n  ${line}`).join('');
      const unchanged = `nothing was changed, and ${name} continues with the old code`;
      const todo = `fix the code and run \`tallystick module reload ${name}\` again`;
      return E.left(
        fault(
          'MODULE_START_FAILED',
          `the new code of ${name} fails: ${outcome.left}; ${unchanged}${said}\n${todo}`,
        ),
      );
    } catch (error) {
      return E.left(toFault(error));
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
  };
