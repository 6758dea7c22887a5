import { startReaper } from '../../system/processes/reaper.js';
import { startBenchServer } from '../bench/bench-server.js';
import { startProgram } from '../../system/processes/program.js';
import { type Contender, inRounds, type Measured, measured } from '../bench/rounds.js';
import type { Report, Scenario, ScenarioOptions } from '../bench/scenario.js';
import { fillAnswered, FILL_PAYLOAD_BYTES } from './fill-answered.js';
import type { Pass, VerifyQuestions } from './verify-main.js';
import { formatNumber } from '../../text/numbers.js';

const RECORDS = 1_000_000;
const ROUNDS = 3;

interface Verifying {
  readonly records: number;
  readonly payloadBytes: number;
  readonly rounds: number;
  /** Records a second, by what reads. */
  readonly perSecond: Readonly<Record<string, Measured>>;
  /** Processor time of the process that reads, microseconds a record. */
  readonly cpuUsPerRecord: Readonly<Record<string, Measured>>;
  /** The most that the process had in memory, MB. */
  readonly rssMb: Readonly<Record<string, Measured>>;
}

/** Verifies a log, compared with a reader that only reads; each pass is a separate process. */
const measureVerifying = async ({
  records = RECORDS,
  rounds = ROUNDS,
  memoryLimitBytes,
  say,
}: ScenarioOptions): Promise<Verifying> => {
  await using server = await startBenchServer('os', say, memoryLimitBytes);
  const filled = await fillAnswered(server.nc, records, say);
  const reaper = startReaper();
  try {
    const passes = new Map<string, Pass[]>();
    const contender = (question: keyof VerifyQuestions): Contender => ({
      name: question,
      run: async () => {
        const main = new URL('verify-main.js', import.meta.url);
        await using program = startProgram<VerifyQuestions>(main, { url: server.url }, reaper);
        const pass = await program.ask(question, null);
        if (pass.records !== filled) throw new Error(`${pass.records} records were read of ${filled}`);
        passes.set(question, [...(passes.get(question) ?? []), pass]);
        return pass.records / pass.seconds;
      },
    });
    const perSecond = await inRounds([contender('read'), contender('verify')], rounds, say);
    const of = (pick: (pass: Pass) => number): Readonly<Record<string, Measured>> =>
      Object.fromEntries([...passes].map(([name, all]) => [name, measured(all.map(pick))]));
    return {
      records: filled,
      payloadBytes: FILL_PAYLOAD_BYTES,
      rounds,
      perSecond: Object.fromEntries(perSecond),
      cpuUsPerRecord: of(({ cpuUsPerRecord }) => cpuUsPerRecord),
      rssMb: of(({ rssMb }) => rssMb),
    };
  } finally {
    await reaper.close();
  }
};

const median = (of: Readonly<Record<string, Measured>>, name: string): number =>
  of[name]?.median ?? Number.NaN;

const report = (verifying: Verifying): Report => {
  const { records, payloadBytes, rounds, perSecond, cpuUsPerRecord, rssMb } = verifying;
  const rows = ['read', 'verify'].map((name) => [
    name,
    formatNumber(median(perSecond, name)),
    median(cpuUsPerRecord, name).toFixed(2),
    (rssMb[name]?.max ?? Number.NaN).toFixed(0),
  ]);
  return {
    data: {
      verifying,
      ratios: {
        verifyPerSecond: Math.round(median(perSecond, 'verify')),
        verifyRssMb: Math.round(rssMb.verify?.max ?? Number.NaN),
        cpuUsPerRecord: Number(median(cpuUsPerRecord, 'verify').toFixed(2)),
        readPerSecond: Math.round(median(perSecond, 'read')),
      },
    },
    tables: [
      {
        title: `verifying ${formatNumber(records)} records, commands and events of ${payloadBytes} bytes, ${rounds} rounds`,
        heads: ['', 'records/s', 'processor, us a record', 'memory at most, MB'],
        rows,
      },
    ],
  };
};

export const verifyBenchmark: Scenario = {
  name: 'verify',
  summary: 'the whole log is verified, compared with a reader that only reads',
  takes: ['memory-limit'],
  run: async (options) => report(await measureVerifying(options)),
};
