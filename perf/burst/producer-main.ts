/** The process of one producer: sends what is due when it is due, and writes down what was acknowledged. */
import { isLeft, isRight } from 'fp-ts/lib/Either.js';
import { nuid } from 'nats';
import { dial } from '../../link/dial.js';
import { authenticatorOf } from '../../link/nkey.js';
import { type Appended, GROUPING, isInLog, Producer, requestedEpochs } from '../../journal/index.js';
import { FaultError } from '../../schemas/errors.js';
import { settingOf } from '../../system/processes/program.js';
import { Latencies } from './latencies.js';
import { LedgerWriter } from './ledger-writer.js';
import { payloads } from './payloads.js';
import { PHASES, BurstSchedule } from './burst-schedule.js';
import {
  type FromProducer,
  KINDS,
  now,
  type ProducerSetting,
  type Sample,
  type ToProducer,
} from './setting.js';
import { pause } from '../../system/async/pause.js';

const NEWS_MS = 100;
/** Records that wait for their acknowledgement, above which those that are due wait here: it costs no memory. */
const MAX_PENDING = 20_000;
/** What is sent before the event loop sees to acknowledgements. */
const LARGEST_TURN = 500;
/** One of so many is followed until it is delivered. */
const SAMPLE = 64;

/** What is said while the broker, or the server, is down. */
const AWAY: ReadonlySet<string> = new Set(['BROKER_UNREACHABLE', 'LOG_UNAVAILABLE', 'OVERLOADED']);
const OPEN_WITHIN_MS = 120_000;
const RETRY_MS = 100;

const setting = settingOf<ProducerSetting>();
const { kind, url, seed, index, producers, rates, agents, size } = setting;
const tell = (message: FromProducer): void => {
  process.send?.(message);
};
// Ctrl-C in a terminal reaches all; who started this one ends it.
process.on('SIGINT', () => undefined);
process.on('disconnect', () => process.exit(0));

const schedule = new BurstSchedule(rates, 1 / producers);
const { module, name } = KINDS[kind];
const verb = kind === 'calls' ? 'cmd' : 'evt';
/** Agents are shared: what reorders two producers' records is seen by none, what reorders one's own is. */
const subjects = Array.from({ length: agents }, (_, i) => `${verb}.${module}.${name}.a${i}`);
/** As the log has it: the sender is the last token of a command. */
const stored = kind === 'calls' ? subjects.map((subject) => `${subject}.${setting.sender}`) : subjects;
const payload = payloads(index, size);
const ledger = new LedgerWriter(setting.ledger);

const latencies = PHASES.map((phase) => ({ phase, counted: new Latencies() }));
const phaseIndex = { baseline: 0, burst: 1, after: 2 } as const;
let [sent, acked, refused, unknown, pushedBack, lastSeq] = [0, 0, 0, 0, 0, 0];
let [reopened, ackedSince] = [0, 0];
let samples: Sample[] = [];

const news = (): void => {
  ledger.flush();
  const counted = latencies.filter((each) => each.counted.count > 0);
  tell({
    is: 'news',
    news: {
      sent,
      acked,
      refused,
      unknown,
      pushedBack,
      lastSeq,
      reopened,
      ackedSince,
      latencies: Object.fromEntries(counted.map(({ phase, counted: each }) => [phase, each.take()])),
      samples,
    },
  });
  [sent, acked, refused, unknown, pushedBack] = [0, 0, 0, 0, 0];
  samples = [];
};

const fail = (reason: unknown): void => {
  news();
  const message = reason instanceof Error ? reason.message : String(reason);
  tell({ is: 'failed', message });
};

const open = async (): Promise<Producer> => {
  const nc = await dial({
    servers: url,
    // It may be started while the server is down.
    waitOnFirstConnect: true,
    redialMs: 50,
    ...(seed === undefined ? {} : { authenticator: authenticatorOf(seed) }),
  });
  const opening = Producer.open({
    nc,
    name: `p${index}`,
    epochs: requestedEpochs({
      nc,
      name: `p${index}`,
      instance: nuid.next(),
      ...(kind === 'events' ? { account: module } : {}),
    }),
    // The first epoch brings the log's own.
    grouping: GROUPING.fsync,
    maxPending: MAX_PENDING * 2,
    // A broker that is killed and started again takes its time; what is due waits.
    patienceMs: 120_000,
    onReplaced: (reason) => fail(reason.message),
    onReopen: () => {
      reopened += 1;
      ackedSince = 0;
    },
  });
  const until = now() + OPEN_WITHIN_MS;
  for (;;) {
    const opened = await opening();
    if (isRight(opened)) return opened.right;
    if (!AWAY.has(opened.left.code) || now() > until) throw new FaultError(opened.left);
    await pause(RETRY_MS);
  }
};

const send = (producer: Producer, n: number, dueAt: number): void => {
  // Neighbours in time go to different agents, and both producers to all of them.
  const agent = (n * producers + index) % agents;
  const counted = (latencies[phaseIndex[schedule.phaseOf(n)]] as { counted: Latencies }).counted;
  const settle = (outcome: Appended): void => {
    if (isLeft(outcome)) {
      if (isInLog(outcome) === 'no') refused += 1;
      else unknown += 1;
      return;
    }
    const { seq } = outcome.right;
    acked += 1;
    ackedSince += 1;
    if (seq > lastSeq) lastSeq = seq;
    counted.add(now() - dueAt);
    ledger.add(stored[agent] as string, seq);
    if (n % SAMPLE === 0) samples.push([seq, dueAt]);
  };
  producer.submit({ subject: subjects[agent] as string, data: payload(n) }, settle);
};

const load = (producer: Producer, { beginAt, from }: ToProducer): Promise<void> =>
  new Promise((resolve) => {
    let next = from;
    let wasBack = false;
    const turn = (): void => {
      const due = schedule.due(now() - beginAt);
      const last = Math.min(due, next + LARGEST_TURN);
      const first = next;
      while (next < last && producer.pending < MAX_PENDING) {
        send(producer, next, beginAt + schedule.dueMs(next));
        next += 1;
      }
      sent += next - first;
      const isBack = next < last;
      if (isBack && !wasBack) pushedBack += 1;
      wasBack = isBack;
      if (next >= schedule.total && producer.pending === 0) return resolve();
      // Behind, the loop turns as fast as acknowledgements come; else once a millisecond.
      if (next < due && !isBack) setImmediate(turn);
      else setTimeout(turn, 1);
    };
    turn();
  });

const run = async (): Promise<void> => {
  const producer = await open();
  tell({ is: 'ready' });
  const begin = await new Promise<ToProducer>((resolve) => process.once('message', resolve));
  const timer = setInterval(news, NEWS_MS);
  await load(producer, begin);
  clearInterval(timer);
  news();
  ledger.close();
  await producer.close();
  tell({ is: 'done' });
};

try {
  await run();
} catch (error) {
  fail(error);
}
