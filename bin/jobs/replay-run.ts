import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Either, left, right } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type { NatsConnection } from 'nats';
import { readLog } from '../../journal/read/reader.js';
import { Lifetime, orThrow, runOrThrow } from '../../system/lifetime.js';
import type { Scope } from '../../replay/expression/evaluate.js';
import { lineFormatter } from '../../replay/history/format-line.js';
import { BreakPoint } from '../../replay/sandbox/break-point.js';
import { rangeOf, readRange } from '../../replay/sandbox/recorded-range.js';
import { type Ran, runRange } from '../../replay/sandbox/run-range.js';
import { type Fault, FaultError, fault } from '../../schemas/errors.js';
import type { Masks } from '../../schemas/masks.js';
import { maskedCompared, maskedHit } from './masked-steps.js';
import { maskedRecord } from '../../replay/history/masked-record.js';
import { toHistory } from '../../schemas/record.js';
import { openConnection } from '../connect/connect.js';
import { EXIT, type ExitCode } from '../output/exit.js';
import { print, printJson } from '../output/output.js';
import { progressBar } from '../text/progress-bar.js';
import { comparedLine, comparedText, hitText, keptText, ranText } from '../text/run-text.js';
import { configureSandbox } from './sandbox-config.js';
import { checkFree, fillSandbox, startSandbox } from './sandbox.js';
import { checkEffects, checkRunning, sandboxModules } from './sandbox-modules.js';
import { loadableDirs } from './module-source.js';
import { type Steps, steps } from './ask-steps.js';
import { faultThrown } from '../output/thrown-fault.js';

export interface RunRequest {
  readonly from: number | Date | undefined;
  readonly until: number | undefined;
  readonly speed: 'max' | number;
  readonly step: boolean;
  readonly condition:
    | { readonly text: string; readonly holds: (scope: Scope) => Either<Fault, boolean> }
    | undefined;
  readonly modules: readonly string[];
  readonly sandbox: string | undefined;
  readonly allowEffects: boolean;
  readonly timeoutMs: number;
  readonly json: boolean;
  readonly masks: Masks;
}

const subjectsOf = async (nc: NatsConnection, fromSeq: number, toSeq: number): Promise<Set<string>> => {
  const subjects = new Set<string>();
  const range = { filters: ['cmd.>'], fromSeq, toSeq };
  for await (const { subject } of readLog(nc, range)) subjects.add(subject);
  return subjects;
};

const isAsItWas = ({ verdicts }: Ran): boolean =>
  verdicts.different + verdicts.unanswered + verdicts.new + verdicts.missing === 0;

const runAgain = async (
  nc: NatsConnection,
  request: RunRequest,
  dataDir: string,
  lifetime: Lifetime,
): Promise<{ readonly code: ExitCode; readonly keep: boolean }> => {
  const { json, condition, allowEffects, masks } = request;
  const started = process.hrtime.bigint();
  const sequences = await rangeOf(nc, request);
  const { fromSeq, untilSeq } = sequences;
  if (fromSeq > untilSeq)
    throw new FaultError(fault('USAGE', `there is no record from ${fromSeq} to ${untilSeq}`));
  // A sandbox that is kept keeps their builds.
  const dirs = await runOrThrow(loadableDirs(request.modules, dataDir));
  const modules = await sandboxModules(nc, dirs);
  checkEffects(modules, await subjectsOf(nc, fromSeq, untilSeq), allowEffects);
  const open = await fillSandbox(nc, dataDir, fromSeq);
  checkEffects(
    modules,
    [...open.values()].map(({ subject }) => subject),
    allowEffects,
  );
  const range = await readRange(nc, sequences, open);

  await configureSandbox(nc, dataDir, modules);
  const broker = await startSandbox(dataDir, modules, lifetime);
  const own = await runOrThrow(openConnection({ data: dataDir }));
  lifetime.onStop(() => own.close());
  await checkRunning(own, dataDir);
  const baseSeq = fromSeq - 1;
  const codes = modules.flatMap(({ code }) => (code === undefined ? [] : [code]));
  await using point =
    condition === undefined
      ? undefined
      : orThrow(BreakPoint.open({ nc: own, dataDir, modules: codes, baseSeq, holds: condition.holds }));
  using stepping: Steps | undefined = request.step ? steps() : undefined;
  const line = lineFormatter();
  using bar = progressBar('commands', request.step ? 0 : range.roots.length);
  let interrupted = false;
  process.once('SIGINT', () => {
    interrupted = true;
  });
  const ran = await runRange({
    range,
    open: [...open.values()],
    sandbox: { nc: own, record: broker.record, baseSeq },
    speed: request.speed,
    timeoutMs: request.timeoutMs,
    next: async (command) =>
      !interrupted &&
      ((await stepping?.ask(line(maskedRecord(masks, toHistory(command))))) ?? true) &&
      !interrupted,
    onCompared: (compared) => {
      if (compared.verdict === 'same') return;
      bar.clear();
      const shown = maskedCompared(masks, compared);
      if (json) print(comparedLine(shown));
      else print(comparedText(shown));
    },
    onProgress: (fed) => bar.update(fed),
    onRecord: (message) => {
      if (request.step && !json) print(line(maskedRecord(masks, toHistory(message))));
    },
    look: async (message) => point?.look(message),
  });
  bar.clear();
  const hit = ran.hit === undefined ? undefined : maskedHit(masks, ran.hit);
  const keep = request.sandbox !== undefined || hit !== undefined || !isAsItWas(ran);
  if (json) {
    const seconds = Number(process.hrtime.bigint() - started) / 1e9;
    const kept = keep ? dataDir : null;
    printJson({ kind: 'ended', fromSeq, untilSeq, ...ran, hit: hit ?? null, sandbox: kept, seconds });
  } else {
    print(ranText(ran, fromSeq, untilSeq));
    if (hit !== undefined && condition !== undefined) print(hitText(hit, condition.text, ran.lastFed));
    if (keep) print(keptText(dataDir, hit));
  }
  const isYes = condition === undefined ? isAsItWas(ran) : hit !== undefined;
  return { code: isYes ? EXIT.done : EXIT.no, keep };
};

/** Sends a range of recorded commands to a new broker, and reports the results that differ. */
export const replayRun =
  (nc: NatsConnection, request: RunRequest): TaskEither<Fault, ExitCode> =>
  async () => {
    const own =
      request.sandbox === undefined ? mkdtempSync(join(tmpdir(), 'tallystick-sandbox-')) : undefined;
    const dataDir = request.sandbox ?? join(own as string, 'data');
    const lifetime = new Lifetime();
    let keep = false;
    try {
      checkFree(dataDir);
      const ran = await runAgain(nc, request, dataDir, lifetime);
      keep = ran.keep;
      return right(ran.code);
    } catch (thrown) {
      return left(faultThrown(thrown));
    } finally {
      await lifetime.stop();
      if (own !== undefined && !keep) rmSync(own, { recursive: true, force: true, maxRetries: 5 });
    }
  };
