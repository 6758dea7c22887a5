import { resolve } from 'node:path';
import { left, right } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { SERVER_VERSION } from '../../broker/server/version.js';
import { measureShortForm } from '../../perf/adr/short-form.js';
import { machine } from '../../perf/bench/machine.js';
import { barChart } from '../../perf/report/bar-chart.js';
import type { Fault } from '../../schemas/errors.js';
import type { Durability } from '../../schemas/log.js';
import { writeOut } from '../../system/files/out-file.js';
import { packageVersion } from '../../system/files/package-root.js';
import { EXIT, type ExitCode } from '../output/exit.js';
import { print, printJson, printNote } from '../output/output.js';
import { faultThrown } from '../output/thrown-fault.js';
import { type BenchResult, benchChart, benchText } from '../text/bench-text.js';

export interface BenchRequest {
  readonly durability: Durability;
  /** A tenth of the load. */
  readonly quick: boolean;
  /** File for the chart. */
  readonly chart: string | undefined;
  readonly json: boolean;
}

const QUICK = 0.1;

/** `bench`: done when the figures are printed, also if they do not meet what is asked. */
export const benchInstallation =
  ({ durability, quick, chart, json }: BenchRequest): TaskEither<Fault, ExitCode> =>
  async () => {
    // An end by a signal must remove the files too: they go when the process exits.
    const stop = (): void => process.exit(130);
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
    for (const signal of signals) process.once(signal, stop);
    const say = (text: string): void => {
      if (!json || process.stderr.isTTY) printNote(text, false, {});
    };
    const begun = performance.now();
    try {
      const requirements = await measureShortForm({ durability, scale: quick ? QUICK : 1, say });
      const result: BenchResult = {
        versions: {
          tallystick: packageVersion(),
          node: process.version.slice(1),
          'nats-server': SERVER_VERSION,
        },
        machine: machine(),
        durability,
        isQuick: quick,
        seconds: Math.round((performance.now() - begun) / 100) / 10,
        met: requirements.filter(({ verdict }) => verdict === 'met').length,
        requirements,
      };
      if (chart !== undefined) {
        const path = resolve(chart);
        await writeOut(path, barChart(benchChart(result)));
        say(`chart: ${path}`);
      }
      if (json) printJson(result);
      else print(benchText(result));
      return right(EXIT.done);
    } catch (error) {
      return left(faultThrown(error));
    } finally {
      for (const signal of signals) process.off(signal, stop);
    }
  };
