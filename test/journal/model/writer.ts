import { isLeft, isRight } from 'fp-ts/lib/Either.js';
import type { NatsConnection } from 'nats';
import { type Appended, isInLog } from '../../../journal/append/draft.js';
import { brokerEpochs } from '../../../journal/epochs/epoch-source.js';
import type { Grouping } from '../../../journal/append/grouping.js';
import { Producer } from '../../../journal/producer/producer.js';
import { encodeJson } from '../../../schemas/json.js';
import type { StoredMessage } from '../../../schemas/record.js';
import { success } from '../../support/either.js';

/** What the journal may answer in these runs; anything else is a finding. */
const EXPECTED = new Set([
  'OVERLOADED',
  'LOG_FULL',
  'LOG_UNAVAILABLE',
  'LOG_UNCERTAIN',
  'PAYLOAD_TOO_LARGE',
  'EPOCH_LOST',
]);

export interface WriterOptions {
  readonly nc: NatsConnection;
  readonly name: string;
  readonly under: number;
  readonly grouping: Grouping;
}

/** One life of a producer: what it was given, in order, and what it said became of each. */
export class Writer {
  readonly #outcomes: (Appended | undefined)[] = [];
  readonly #outstanding: Promise<void>[] = [];
  #wasReplaced = false;
  /** Records from here on were given after another had taken the name over. */
  #lateFrom = Number.POSITIVE_INFINITY;

  private constructor(
    private readonly name: string,
    private readonly life: number,
    private readonly producer: Producer,
  ) {}

  static async open({ nc, name, under, grouping }: WriterOptions, life: number): Promise<Writer> {
    let writer: Writer | undefined;
    const producer = success(
      await Producer.open({
        nc,
        name,
        epochs: brokerEpochs({ nc, producer: name, under, prefixes: [`evt.${name}.`] }),
        grouping,
        patienceMs: 1_500,
        ackTimeoutMs: 250,
        maxPending: 3_000,
        onReplaced: () => {
          if (writer !== undefined) writer.#wasReplaced = true;
        },
      })(),
    );
    writer = new Writer(name, life, producer);
    return writer;
  }

  toString(): string {
    return `${this.name} life ${this.life}`;
  }

  append(count: number, bytes: number): void {
    for (let k = 0; k < count; k++) {
      const i = this.#outcomes.length;
      this.#outcomes.push(undefined);
      const data = encodeJson({ life: this.life, i, pad: 'x'.repeat(bytes) });
      const done = this.producer.append({ subject: `evt.${this.name}.said.a`, data })();
      this.#outstanding.push(
        done.then((outcome) => {
          this.#outcomes[i] = outcome;
        }),
      );
    }
  }

  async settled(): Promise<void> {
    await Promise.all(this.#outstanding);
  }

  /** Another has taken the name; nothing that is given from now on may be stored. */
  replaced(): void {
    this.#lateFrom = this.#outcomes.length;
  }

  async close(): Promise<void> {
    await this.settled();
    await this.producer.close();
  }

  /** Lays what was said beside what is in the log: I1, I2 and I8. */
  findings(log: readonly StoredMessage[]): string[] {
    const findings: string[] = [];
    const stored: { readonly i: number; readonly seq: number }[] = [];
    for (const message of log) {
      if (message.subject !== `evt.${this.name}.said.a`) continue;
      const { life, i } = JSON.parse(new TextDecoder().decode(message.data)) as { life: number; i: number };
      if (life === this.life) stored.push({ i, seq: message.seq });
    }
    const say = (text: string): void => {
      findings.push(`${this}: ${text}`);
    };
    const where = new Map<number, number>();
    let last = -1;
    for (const { i, seq } of stored) {
      if (where.has(i)) say(`I1 record ${i} is stored twice, at ${where.get(i)} and ${seq}`);
      else if (i < last) say(`I2 record ${i} is stored behind record ${last}`);
      where.set(i, seq);
      last = Math.max(last, i);
    }
    for (const [i, outcome] of this.#outcomes.entries()) {
      if (outcome === undefined) {
        say(`I8 record ${i} was never settled`);
        continue;
      }
      const seq = where.get(i);
      if (isRight(outcome) && seq !== outcome.right.seq)
        say(`I1 record ${i} has a receipt for ${outcome.right.seq} and is at ${seq}`);
      if (isInLog(outcome) === 'no' && seq !== undefined) say(`I1 record ${i} was refused and is at ${seq}`);
      if (isLeft(outcome) && !EXPECTED.has(outcome.left.code)) say(`I8 record ${i}: ${outcome.left.code}`);
      if (i >= this.#lateFrom && seq !== undefined)
        say(`record ${i} came after the replacement and is at ${seq}`);
    }
    const isLate = this.#outcomes.length > this.#lateFrom;
    if (isLate && !this.#wasReplaced) say('it was never told that it has been replaced');
    return findings;
  }
}
