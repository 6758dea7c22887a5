import { readLogBatches } from '../../journal/index.js';
import { pause } from '../../system/async/pause.js';
import type { Program } from '../../system/processes/program.js';
import { formatNumber } from '../../text/numbers.js';
import { atRest, processorTime } from '../bench/processor-time.js';
import { connectOperator } from '../burst/connect-operator.js';
import { logEnd } from '../burst/log-end.js';
import type { BrokerCallee } from './callees.js';
import type { CallerQuestions } from './caller-main.js';
import type { CommandWay } from './sending.js';

export interface CommandFigures {
  readonly sent: number;
  /** That the log has. The server drops some of plain publishes that come too fast. */
  readonly stored: number;
  /** That have a result. */
  readonly handled: number;
  /** From the first publish to the server's time of the last command and of the last result. */
  readonly recordedPerSecond: number;
  readonly handledPerSecond: number;
  /** Microseconds a command, by process. */
  readonly cpuUs: Readonly<Record<string, number>>;
}

export type CommandsFound = Readonly<Partial<Record<CommandWay, CommandFigures>>>;

const LOOK_MS = 200;
/** A log that did not grow for so long does not grow any more. */
const STILL_MS = 15_000;
/** Of a deposit: command, result, event. */
const RECORDS_EACH = 3;

const grown = async (end: () => Promise<number>, last: number): Promise<void> => {
  let [seen, at] = [await end(), performance.now()];
  while (seen < last && performance.now() - at < STILL_MS) {
    await pause(LOOK_MS);
    const now = await end();
    if (now > seen) [seen, at] = [now, performance.now()];
  }
};

interface Counted {
  count: number;
  lastMs: number;
}

/** Sends so many commands and reads from the log when the server stored them and their results. */
export const sendCommands = async (
  way: CommandWay,
  commands: number,
  caller: Program<CallerQuestions>,
  { url, pids, dataDir }: BrokerCallee,
): Promise<CommandFigures> => {
  const operator = await connectOperator(dataDir);
  try {
    const all = { ...pids, caller: await caller.ask('pid', null) };
    const from = await logEnd(operator);
    const before = await processorTime(all);
    const { begunAtMs } = await caller.ask('send', { url, way, commands });
    await grown(() => logEnd(operator), from + commands * RECORDS_EACH);
    await atRest(pids);
    const after = await processorTime(all);
    const [stored, handled]: [Counted, Counted] = [
      { count: 0, lastMs: begunAtMs },
      { count: 0, lastMs: begunAtMs },
    ];
    for await (const batch of readLogBatches(operator, { fromSeq: from + 1, headersOnly: true }))
      for (const record of batch) {
        const kind = record.subject.slice(0, 4);
        const counted = kind === 'cmd.' ? stored : kind === 'res.' ? handled : undefined;
        if (counted === undefined) continue;
        counted.count += 1;
        counted.lastMs = record.timeMs;
      }
    const rate = ({ count, lastMs }: Counted): number => (count * 1_000) / Math.max(1, lastMs - begunAtMs);
    const roles = Object.keys(all) as (keyof typeof all)[];
    return {
      sent: commands,
      stored: stored.count,
      handled: handled.count,
      recordedPerSecond: rate(stored),
      handledPerSecond: rate(handled),
      cpuUs: Object.fromEntries(
        roles.map((role) => [role, ((after[role] - before[role]) * 1_000) / commands]),
      ),
    };
  } finally {
    await operator.close();
  }
};

export const sayCommands = (way: CommandWay, figures: CommandFigures): string => {
  const { sent, stored, recordedPerSecond, handledPerSecond } = figures;
  const rates = `${formatNumber(recordedPerSecond)}/s recorded, ${formatNumber(handledPerSecond)}/s handled`;
  return `commands, ${way}: ${formatNumber(stored)} of ${formatNumber(sent)} stored, ${rates}`;
};
