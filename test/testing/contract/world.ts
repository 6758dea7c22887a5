import type { NatsConnection } from 'nats';
import { readLog } from '../../../journal/read/reader.js';
import { connect, type ModuleCalls } from '../../../modules/client/index.js';
import { Places } from '../../../replay/history/history-places.js';
import type { DeadLetter, DeadPage } from '../../../schemas/dead.js';
import { OPS } from '../../../schemas/operate.js';
import type { StoredMessage } from '../../../schemas/record.js';
import { type InProcessOptions, openInProcess } from '../../../testing/in-process/in-process-tally.js';
import market from '../../fixtures/modules/market/index.js';
import purse from '../../fixtures/modules/purse/index.js';
import type { TestBroker } from '../../support/broker.js';
import { connectOperator } from '../../support/log-checks.js';
import { waitFor } from '../../support/wait-for.js';
import { isSettled } from './comparable.js';

/** Modules with a log, of either sort, from the begin of one scenario to its end. */
export interface World extends AsyncDisposable {
  readonly tally: ModuleCalls;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Lets so much time pass, if the clock does not pass by itself. */
  readonly pass: (ms: number) => Promise<void>;
  /** The records of the scenario, once nothing is left to do. `commands`: at least so many are there. */
  readonly settled: (commands: number) => Promise<readonly StoredMessage[]>;
  /** The commands of the dead letters of the scenario, with their error and the number of tries. */
  readonly dead: (count: number) => Promise<readonly Pick<DeadLetter, 'command' | 'attempts' | 'error'>[]>;
  /** Cancels a schedule. */
  readonly cancel: (id: string) => Promise<void>;
}

const commandsIn = (records: readonly StoredMessage[]): number =>
  records.filter(({ subject }) => subject.startsWith('cmd.')).length;

/** Who calls. */
export type Sender = NonNullable<InProcessOptions['sender']>;

export const openInMemory = (sender: Sender = 'operator'): World => {
  const { tally, broker } = openInProcess([market, purse], { sender });
  return {
    tally,
    now: broker.clock.now,
    pass: tally.clock.advance,
    settled: async () => {
      await tally.idle();
      return broker.log.records;
    },
    dead: async () => tally.deadLetters,
    cancel: async () => undefined,
    [Symbol.asyncDispose]: tally.close,
  };
};

/** All pages of the dead letters of a broker. */
const deadLetters = async (nc: NatsConnection): Promise<DeadPage['letters']> => {
  const letters: DeadPage['letters'][number][] = [];
  for (let from: number | null = 1; from !== null; ) {
    const reply = await nc.request(OPS.deadList, JSON.stringify({ from }), { timeout: 10_000 });
    const page = reply.json<DeadPage>();
    letters.push(...page.letters);
    from = page.next;
  }
  return letters;
};

/** A scenario on a real broker with `market` and `purse`. Scenarios come one after the other. */
export const openOnBroker = async (
  { dataDir, url }: Pick<TestBroker, 'dataDir' | 'url'>,
  sender: Sender = 'operator',
): Promise<World> => {
  const tally = await connect(sender === 'guest' ? { server: url } : { data: dataDir });
  // Only the operator may read snapshots.
  const reader = sender === 'guest' ? await connect({ data: dataDir }) : tally;
  const operator = await connectOperator(dataDir);
  const read = async (fromSeq: number): Promise<StoredMessage[]> => {
    const records: StoredMessage[] = [];
    for await (const record of readLog(operator, { fromSeq })) records.push(record);
    return records;
  };
  const fromSeq = (await new Places(operator).end()) + 1;
  return {
    tally: { ...tally, state: reader.state },
    now: Date.now,
    pass: async () => undefined,
    settled: (commands) =>
      waitFor('the scenario to be over', async () => {
        const records = await read(fromSeq);
        return isSettled(records) && commandsIn(records) >= commands ? records : undefined;
      }),
    dead: (count) =>
      waitFor(`${count} dead letters`, async () => {
        const letters = (await deadLetters(operator)).filter(({ command }) => command >= fromSeq);
        return letters.length >= count ? letters : undefined;
      }),
    cancel: async (id) => {
      await operator.request(OPS.scheduleCancel, JSON.stringify({ id }), { timeout: 10_000 });
    },
    [Symbol.asyncDispose]: async () => {
      await tally.close();
      await reader.close();
      await operator.close();
    },
  };
};
