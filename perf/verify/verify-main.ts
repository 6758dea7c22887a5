/** The process that verifies, or only reads, so that its memory and processor time are of that alone. */
import { isLeft } from 'fp-ts/lib/Either.js';
import { dial } from '../../link/dial.js';
import { readLogBatches } from '../../journal/index.js';
import { verifyLog } from '../../replay/index.js';
import { FaultError } from '../../schemas/errors.js';
import { answerQuestions, settingOf } from '../../system/processes/program.js';

export interface Pass {
  readonly records: number;
  readonly seconds: number;
  /** Of the whole process, all its threads; microseconds a record. */
  readonly cpuUsPerRecord: number;
  /** The most that the process had in memory so far, MB. */
  readonly rssMb: number;
}

export type VerifyQuestions = {
  readonly verify: { readonly ask: null; readonly answer: Pass };
  readonly read: { readonly ask: null; readonly answer: Pass };
};

const { url } = settingOf<{ readonly url: string }>();
const nc = await dial({ servers: url, redialMs: 1_000 });

const measure = async (pass: () => Promise<number>): Promise<Pass> => {
  const cpu = process.cpuUsage();
  const from = performance.now();
  const records = await pass();
  const seconds = (performance.now() - from) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  // Kilobytes, as the system counts them.
  const rssMb = (process.resourceUsage().maxRSS * 1_024) / 1e6;
  return { records, seconds, cpuUsPerRecord: (user + system) / records, rssMb };
};

answerQuestions<VerifyQuestions>({
  verify: () =>
    measure(async () => {
      const verified = await verifyLog({ nc })();
      if (isLeft(verified)) throw new FaultError(verified.left);
      const { ok, records, findings } = verified.right.verification;
      if (!ok) throw new Error(`the log is not clean: ${JSON.stringify(findings.slice(0, 3))}`);
      return records;
    }),
  read: () =>
    measure(async () => {
      let records = 0;
      for await (const batch of readLogBatches(nc)) records += batch.length;
      return records;
    }),
});
