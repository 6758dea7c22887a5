import { isLeft } from 'fp-ts/lib/Either.js';
import type { NatsConnection } from 'nats';
import { brokerEpochs, type Draft, GROUPING, openBrokerEpoch, Producer } from '../../journal/index.js';
import { FaultError } from '../../schemas/errors.js';
import type { Durability } from '../../schemas/log.js';
import { percentile } from '../bench/percentiles.js';
import { PAYLOAD_BYTES } from './fill.js';

/** What one run of a load gave. */
export interface LoadRun {
  readonly perSecond: number;
  /** From the call to its answer, milliseconds. */
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** A subject of the stream without an owner: an event of an unknown module. */
export const SUBJECT = 'evt.bench.appended.a';
export const DATA = new Uint8Array(PAYLOAD_BYTES).fill(0x78);
export const DRAFT: Draft = { subject: SUBJECT, data: DATA };

/** A producer of the journal on a log without another writer. */
export const openProducer = async (nc: NatsConnection, durability: Durability): Promise<Producer> => {
  const under = await openBrokerEpoch(nc)();
  if (isLeft(under)) throw new FaultError(under.left);
  const opened = await Producer.open({
    nc,
    name: 'bench',
    epochs: brokerEpochs({ nc, producer: 'bench', under: under.right, prefixes: [SUBJECT] }),
    grouping: GROUPING[durability],
    onReplaced: (reason) => {
      throw new FaultError(reason);
    },
  })();
  if (isLeft(opened)) throw new FaultError(opened.left);
  return opened.right;
};

const summary = (latencies: number[], seconds: number): LoadRun => {
  const sorted = Float64Array.from(latencies).sort();
  return {
    perSecond: sorted.length / seconds,
    p50Ms: percentile(sorted, 0.5),
    p99Ms: percentile(sorted, 0.99),
  };
};

/** So many callers, each of which sends its next when it has an answer. */
export const closedLoop = async (
  callers: number,
  seconds: number,
  send: () => Promise<void>,
): Promise<LoadRun> => {
  const latencies: number[] = [];
  const from = performance.now();
  const until = from + seconds * 1_000;
  const caller = async (): Promise<void> => {
    for (let begun = performance.now(); begun < until; ) {
      await send();
      const now = performance.now();
      latencies.push(now - begun);
      begun = now;
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return summary(latencies, (performance.now() - from) / 1_000);
};

export const appendOne = (producer: Producer) => async (): Promise<void> => {
  const outcome = await producer.append(DRAFT)();
  if (isLeft(outcome)) throw new FaultError(outcome.left);
};

/** Keeps this many records with the producer: what a caller does who sends all that backpressure lets through. */
const UNLIMITED = 20_000;
/** A latency for each record is a measurement in itself, so only one of so many is taken. */
const SAMPLE = 16;

/** As many records as the journal takes: by callbacks, for promises would be measured too. */
export const unlimited = (producer: Producer, seconds: number): Promise<LoadRun> =>
  new Promise((resolve, reject) => {
    const latencies: number[] = [];
    const from = performance.now();
    const until = from + seconds * 1_000;
    let inHand = 0;
    let stored = 0;
    const submit = (): void => {
      const begun = stored % SAMPLE === 0 ? performance.now() : 0;
      inHand += 1;
      producer.submit(DRAFT, (outcome) => {
        inHand -= 1;
        if (isLeft(outcome)) return reject(new FaultError(outcome.left));
        stored += 1;
        const now = stored % 64 === 0 || begun > 0 ? performance.now() : 0;
        if (begun > 0) latencies.push(now - begun);
        if (now > 0) isOver ||= now >= until;
        if (!isOver) submit();
        else if (inHand === 0) finish();
      });
    };
    let isOver = false;
    const finish = (): void => {
      const elapsed = (performance.now() - from) / 1_000;
      resolve({ ...summary(latencies, elapsed), perSecond: stored / elapsed });
    };
    for (let i = 0; i < UNLIMITED; i++) submit();
  });
