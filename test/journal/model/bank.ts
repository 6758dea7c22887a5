import { HEADER } from '../../../schemas/headers.js';
import type { StoredMessage } from '../../../schemas/record.js';
import type { Result } from '../../../schemas/result.js';
import { splitSubject } from '../../../schemas/subjects.js';

const decode = (data: Uint8Array): unknown => JSON.parse(new TextDecoder().decode(data));

interface Payload {
  readonly amount: number;
  readonly accepted?: boolean;
}

/**
 * What accounts must answer, reckoned apart from the module: one whose state skipped an outcome, or folded one twice,
 * answers with another balance than this.
 */
export class Bank {
  readonly #balances = new Map<string, number>();
  readonly #commands = new Map<number, { readonly action: string; readonly payload: Payload }>();
  readonly findings: string[] = [];

  add(message: StoredMessage): void {
    const subject = splitSubject(message.subject);
    if (subject === undefined || subject.kind === 'epoch' || subject.module !== 'accounts') return;
    const { agent = '' } = subject;
    if (subject.kind === 'cmd') {
      this.#commands.set(message.seq, { action: subject.name, payload: decode(message.data) as Payload });
    } else if (subject.kind === 'res') {
      const command = this.#commands.get(Number(message.header(HEADER.cause)));
      if (command === undefined) this.findings.push(`${message.seq} answers no command`);
      else this.#answer(agent, command.action, command.payload, decode(message.data) as Result, message.seq);
    }
  }

  /** All the money there is, when nothing is on its way. */
  get total(): number {
    return [...this.#balances.values()].reduce((sum, balance) => sum + balance, 0);
  }

  #answer(agent: string, action: string, { amount, accepted }: Payload, result: Result, seq: number): void {
    const before = this.#balances.get(agent) ?? 0;
    const change: Record<string, number> = {
      deposit: amount,
      withdraw: -amount,
      transfer: -amount,
      credit: amount,
      settle: accepted === false ? amount : 0,
      balance: 0,
    };
    const after = before + (change[action] ?? Number.NaN);
    if (result.status !== 'ok') {
      const isExpected =
        result.error.code === 'INSUFFICIENT_FUNDS' ? after < 0 : result.error.code === 'SAME_ACCOUNT';
      if (!isExpected)
        this.findings.push(`${seq}: ${agent} has ${before}, ${action} ${amount}: ${result.error.code}`);
      return;
    }
    const { balance = after } = result.data as { balance?: number };
    if (balance !== after || after < 0) {
      this.findings.push(`${seq}: ${agent} had ${before}, ${action} ${amount}, and is told ${balance}`);
    }
    this.#balances.set(agent, after);
  }
}
