import { isLeft } from 'fp-ts/lib/Either.js';
import type { LogApi } from '../../journal/read/reader-api.js';
import { recordsAt } from '../../journal/read/records-at.js';
import { callDigest } from '../../journal/wire/call-digest.js';
import { isSamePayload } from '../../schemas/canonical-json.js';
import { HEADER } from '../../schemas/headers.js';
import { parseSequence } from '../../schemas/identity.js';
import { causeOf, type StoredMessage } from '../../schemas/record.js';
import type { KeptOperation } from '../../schemas/restart.js';
import { addressText, splitSubject } from '../../schemas/subjects.js';
import type { Findings } from './findings.js';
import type { SeenRestart } from './seen-restart.js';

/** Kept operations whose records are asked for at a time: they may be large. */
const AT_A_TIME = 64;

const callOf = (record: StoredMessage): number => parseSequence(record.header(HEADER.call) ?? '') ?? 0;

/** The records at these sequences, those that are there. */
const found = async (api: LogApi, seqs: readonly number[]): Promise<ReadonlyMap<number, StoredMessage>> => {
  const records = new Map<number, StoredMessage>();
  const all = await recordsAt(api, seqs)();
  if (!isLeft(all)) {
    for (const record of all.right) records.set(record.seq, record);
    return records;
  }
  // One of them is not there.
  for (const seq of seqs) {
    const one = await recordsAt(api, [seq])();
    if (!isLeft(one)) for (const record of one.right) records.set(record.seq, record);
  }
  return records;
};

/** Compares restarts with the commands before them: what is kept must be what the handler there did. */
class RestartVerifier {
  readonly #byCommand: ReadonlyMap<number, SeenRestart>;

  constructor(
    private readonly api: LogApi,
    private readonly fromSeq: number,
    private readonly findings: Findings,
    private readonly restarts: readonly SeenRestart[],
  ) {
    this.#byCommand = new Map(restarts.map((each) => [each.command, each]));
  }

  async run(): Promise<void> {
    for (const restart of this.restarts) {
      await this.#commands(restart);
      await this.#kept(restart);
    }
  }

  async #commands(restart: SeenRestart): Promise<void> {
    const { before, command, addressText: address } = restart;
    const records = await found(this.api, command === 0 ? [before] : [before, command]);
    const old = records.get(before);
    const subject = old === undefined ? undefined : splitSubject(old.subject);
    if (old === undefined || subject?.kind !== 'cmd' || addressText(subject) !== address)
      return this.#add(restart, `a restart of ${before}, which is no command of that action and agent`);
    const now = records.get(command);
    if (now === undefined) return;
    const isSame = now.subject === old.subject && isSamePayload(now.data, old.data);
    if (!isSame) this.#add(restart, `command ${command} restarts ${before}, and is another command`);
  }

  async #kept(restart: SeenRestart): Promise<void> {
    const { kept } = restart;
    for (let from = 0; from < kept.length; from += AT_A_TIME) {
      const some = kept.slice(from, from + AT_A_TIME);
      const records = await found(this.api, [...new Set(some.flatMap(({ seq, end }) => [seq, end]))]);
      for (const [i, each] of some.entries()) {
        const n = from + i + 1;
        const problem = this.#problem(restart, n, each, records.get(each.seq), records.get(each.end));
        if (problem !== undefined)
          this.#add(
            restart,
            `a restart of ${restart.before} keeps ${each.seq} as its operation ${n}: ${problem}`,
          );
      }
    }
  }

  #problem(
    restart: SeenRestart,
    n: number,
    { kind, seq, end }: KeptOperation,
    record: StoredMessage | undefined,
    ended: StoredMessage | undefined,
  ): string | undefined {
    const { before, module, addressText: own, digests } = restart;
    const subject = record === undefined ? undefined : splitSubject(record.subject);
    if (record === undefined || subject === undefined || ended === undefined)
      return 'there is no such record';
    const isCall = kind === 'call' && subject.kind === 'cmd' && subject.sender === module;
    const isStep = kind !== 'call' && record.subject === `step.${own}`;
    if (!isCall && !isStep) return `it is ${record.subject.slice(0, 256)}`;
    if (callOf(record) !== n || !this.#isOf(before, n, record))
      return `it is operation ${callOf(record)} of command ${causeOf(record) ?? 0}`;
    const address = isCall ? addressText(subject) : record.subject;
    if (callDigest({ call: n, address, payload: record.data }) !== digests[n - 1])
      return 'its digest is another one';
    if (kind === 'step') return undefined;
    const isEnd = isCall
      ? ended.subject.startsWith('res.') && causeOf(ended) === seq
      : ended.subject === `wake.${own}` && callOf(ended) === n && causeOf(ended) === causeOf(record);
    return isEnd ? undefined : `${end} is not how it ended`;
  }

  /** Whether a command has made an operation, or keeps it itself. */
  #isOf(command: number, n: number, record: StoredMessage): boolean {
    if (causeOf(record) === command) return true;
    const earlier = this.#byCommand.get(command);
    // Nothing of the range says what that one keeps.
    if (earlier === undefined) return (causeOf(record) ?? 0) < this.fromSeq;
    return earlier.kept[n - 1]?.seq === record.seq;
  }

  #add({ seq, module }: SeenRestart, detail: string): void {
    this.findings.add('callsDiffer', seq, module, detail);
  }
}

/** Compares the restarts of a range with the commands that ran before. */
export const verifyRestarts = (
  api: LogApi,
  fromSeq: number,
  findings: Findings,
  restarts: readonly SeenRestart[],
): Promise<void> => new RestartVerifier(api, fromSeq, findings, restarts).run();
