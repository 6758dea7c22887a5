import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type { NatsConnection } from 'nats';
import { MAX_REDRIVE, type RedriveAnswer, type Redriven } from '../../schemas/dead.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { OPS } from '../../schemas/operate.js';
import type { Result } from '../../schemas/result.js';
import { EXIT, type ExitCode } from '../output/exit.js';
import { printError, printLine } from '../output/output.js';
import { progressBar } from '../text/progress-bar.js';
import { ask } from '../../link/request-broker.js';
import { pause } from '../../system/async/pause.js';

export interface RedriveRequest {
  readonly again?: boolean;
  readonly wait?: boolean;
  readonly timeout: number;
  readonly json?: boolean;
}

interface RedrivenLetter {
  readonly letter: number;
  readonly command: number;
}

const ASK_TIMEOUT_MS = 60_000;
const POLL_MS = 100;

const chunks = <T>(all: readonly T[], size: number): readonly (readonly T[])[] =>
  Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.slice(i * size, (i + 1) * size));

/** One line for each letter: its new command, and the result if the command waited for it. */
const line = ({ letter, command }: RedrivenLetter, result: Result | undefined, json: boolean): string => {
  if (json) return JSON.stringify({ letter, command, ...(result === undefined ? {} : { result }) });
  const ended = result === undefined ? '' : ` ${JSON.stringify(result)}`;
  return `${letter} redriven as command ${command}${ended}`;
};

/** Waits for results and passes on each one. When the time is over, it passes on those without a result. */
const awaitResults = async (
  nc: NatsConnection,
  sent: readonly RedrivenLetter[],
  timeoutMs: number,
  answered: (sent: RedrivenLetter, result: Result) => Promise<void>,
): Promise<Either<Fault, readonly RedrivenLetter[]>> => {
  const until = performance.now() + timeoutMs;
  let open = sent;
  while (open.length > 0) {
    const ready = new Map<number, Result>();
    for (const some of chunks(open, MAX_REDRIVE)) {
      const commands = some.map(({ command }) => command);
      const reply = await ask<{ results: readonly Redriven[] }>(nc, OPS.deadResults, { commands })();
      // After a restart of the broker, ask again.
      if (isLeft(reply) && performance.now() >= until) return reply;
      if (isLeft(reply)) break;
      for (const { command, result } of reply.right.results) if (result !== null) ready.set(command, result);
    }
    for (const one of open) {
      const result = ready.get(one.command);
      if (result !== undefined) await answered(one, result);
    }
    open = open.filter(({ command }) => !ready.has(command));
    if (performance.now() >= until) break;
    if (open.length > 0 && ready.size === 0) await pause(POLL_MS);
  }
  return right(open);
};

/**
 * Asks the broker to store the commands of dead letters again. Exit code 1 if one was refused or its result is not
 * ok.
 */
export const redrive =
  (nc: NatsConnection, letters: readonly number[], request: RedriveRequest): TaskEither<Fault, ExitCode> =>
  async () => {
    const { again = false, wait = false, timeout, json = false } = request;
    const sent: RedrivenLetter[] = [];
    let allWell = true;
    const refuse = (error: Parameters<typeof printError>[0]): void => {
      allWell = false;
      printError(error, json);
    };
    {
      using bar = progressBar('redriven', letters.length);
      let asked = 0;
      for (const seqs of chunks(letters, MAX_REDRIVE)) {
        bar.update(asked);
        const reply = await ask<{ answers: readonly RedriveAnswer[] }>(
          nc,
          OPS.deadRedrive,
          { seqs, again },
          ASK_TIMEOUT_MS,
        )();
        if (isLeft(reply)) return left(reply.left);
        asked += seqs.length;
        bar.clear();
        for (const answer of reply.right.answers) {
          if ('error' in answer) {
            refuse(answer.error);
            continue;
          }
          sent.push(answer);
          if (!wait) await printLine(line(answer, undefined, json));
        }
      }
    }
    if (wait) {
      using bar = progressBar('answered', sent.length);
      let count = 0;
      bar.update(count);
      const open = await awaitResults(nc, sent, timeout, async (one, result) => {
        bar.clear();
        await printLine(line(one, result, json));
        if (result.status !== 'ok') allWell = false;
        bar.update(++count);
      });
      if (isLeft(open)) return open;
      for (const { letter, command } of open.right) {
        const message = `${letter} is redriven as command ${command}, which has no result after ${timeout} ms`;
        refuse(fault('RESULT_PENDING', message));
      }
    }
    return right(allWell ? EXIT.done : EXIT.no);
  };
