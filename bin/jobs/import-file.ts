import { createReadStream } from 'node:fs';
import { isLeft, right } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { stderrLog } from '../../system/lines/broker-log.js';
import { type Restored, type RestoreStage, restoreLog } from '../../transfer/import/restore-log.js';
import { progressReporter } from '../../broker/server/progress.js';
import { readExport } from '../../transfer/import/read-export.js';
import { type Fault, FaultError, fault } from '../../schemas/errors.js';
import type { ExitCode } from '../output/exit.js';
import { asTyped, typedLog } from '../output/typed-program.js';
import { print, printJson } from '../output/output.js';
import { type ProgressBar, progressBar } from '../text/progress-bar.js';
import { done } from '../output/run-command.js';

export interface ImportRequest {
  /** `-`: standard input. */
  readonly file: string;
  readonly dataDir: string;
  readonly partial: boolean;
  readonly maxBytes: number | undefined;
  readonly json: boolean;
}

async function* bytesOf(file: string): AsyncGenerator<Uint8Array, void, void> {
  if (file === '-') return yield* process.stdin;
  try {
    yield* createReadStream(file, { highWaterMark: 256 * 1024 });
  } catch (error) {
    throw new FaultError(fault('USAGE', `${file} cannot be read: ${(error as Error).message}`));
  }
}

/** A bar for each stage with a known end. */
const stageBars = (): { show: (stage: RestoreStage, done: number, total: number) => void } & Disposable => {
  let current: { readonly stage: RestoreStage; readonly bar: ProgressBar } | undefined;
  return {
    show: (stage, count, total) => {
      if (stage === 'read') return;
      if (current?.stage !== stage) {
        current?.bar[Symbol.dispose]();
        current = {
          stage,
          bar: progressBar(stage === 'stored' ? 'bytes stored' : 'records compared', total),
        };
      }
      current.bar.update(count);
    },
    [Symbol.dispose]: () => current?.bar[Symbol.dispose](),
  };
};

const restoredText = ({ records, firstSeq, lastSeq, dataDir }: Restored): string =>
  asTyped(
    `${records} records, ${firstSeq} to ${lastSeq}, are the log of ${dataDir}; they were read back and match the file\n` +
      `\`tallystick start --data ${dataDir}\` starts the broker with this log`,
  );

/** Makes an export the log of a broker, in a directory without a log. */
export const importLog =
  ({ file, dataDir, partial, maxBytes, json }: ImportRequest): TaskEither<Fault, ExitCode> =>
  async () => {
    using bars = stageBars();
    using server = progressReporter();
    const started = process.hrtime.bigint();
    const restored = await restoreLog({
      dataDir,
      records: readExport(bytesOf(file), { partial }),
      ...(maxBytes === undefined ? {} : { maxBytes }),
      log: typedLog(stderrLog()),
      onServerProgress: server.onProgress,
      onProgress: bars.show,
    })();
    if (isLeft(restored)) return restored;
    const seconds = Number(process.hrtime.bigint() - started) / 1e9;
    if (json) printJson({ ...restored.right, seconds });
    else print(restoredText(restored.right));
    return right(done);
  };
