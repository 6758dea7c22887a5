import { join } from 'node:path';
import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from 'nats';
import { LogIndex } from '../../../broker/index/log-index.js';
import { openBrokerEpoch } from '../../../journal/epochs/epoch.js';
import { brokerEpochs } from '../../../journal/epochs/epoch-source.js';
import { GROUPING } from '../../../journal/append/grouping.js';
import { Producer } from '../../../journal/producer/producer.js';
import { Firings } from '../../../broker/schedules/firings.js';
import { Plan } from '../../../broker/schedules/plan.js';
import { Schedules } from '../../../broker/schedules/schedules.js';
import { SCHED } from '../../../broker/streams/schedule-stream.js';
import { HEADER } from '../../../schemas/headers.js';
import { LOG } from '../../../schemas/log.js';
import type { StoredMessage } from '../../../schemas/record.js';
import type { Schedule, SchedulePage, Timing } from '../../../schemas/schedule.js';
import { success } from '../../support/either.js';
import { createLog, dial, readAll } from '../../support/log.js';
import { startServer, type TestServer } from '../../support/server.js';
import { type TempDir, tempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';
import { startReader } from '../../support/start-reader.js';

const encoder = new TextEncoder();
export const ADDRESS = { module: 'accounts', name: 'deposit', agent: 'alice' };

/** A broker's part that has to do with schedules: what one broker process has of it. */
interface Part extends AsyncDisposable {
  readonly schedules: Schedules;
  readonly said: readonly string[];
}

interface PartOptions {
  readonly maxSchedules?: number;
  readonly now?: () => number;
}

export const start = async (
  nc: NatsConnection,
  jsm: JetStreamManager,
  dir: string,
  { maxSchedules, now }: PartOptions = {},
): Promise<Part> => {
  // After a restart of the server the connection takes a moment.
  const { created, state } = await waitFor('the server to answer', () => jsm.streams.info(LOG));
  const said: string[] = [];
  const log = (text: string): void => {
    said.push(text);
  };
  const under = success(await openBrokerEpoch(nc)());
  const index = new LogIndex({
    nc,
    reader: startReader(nc, state.last_seq),
    dir: join(dir, 'index'),
    logId: created,
    lastSeq: state.last_seq,
    say: () => undefined,
    onLost: ({ message }) => said.push(message),
  });
  await index.start();
  const lastFiring = (schedule: string): number | undefined => index.lastFiring(schedule);
  const plan = new Plan({ nc, jsm, lastFiring, log, ...(now === undefined ? {} : { now }) });
  const firings = new Firings({
    nc,
    jsm,
    plan,
    index,
    open: () =>
      Producer.open({
        nc,
        name: 'scheduler',
        epochs: brokerEpochs({ nc, producer: 'scheduler', under, prefixes: ['cmd.'] }),
        grouping: GROUPING.fsync,
        onReplaced: () => undefined,
      }),
    log,
  });
  firings.start();
  const schedules = new Schedules({
    nc,
    jsm,
    plan,
    lastFiring,
    onAdded: () => firings.wake(),
    settled: () => firings.settled(),
    ...(maxSchedules === undefined ? {} : { maxSchedules }),
  });
  return {
    said,
    schedules,
    [Symbol.asyncDispose]: async () => {
      await firings.close();
      await index.close();
    },
  };
};

export const add = async (schedules: Schedules, timing: Timing, sender = 'operator'): Promise<Schedule> =>
  success(
    await schedules.add({
      address: ADDRESS,
      sender,
      timing,
      data: encoder.encode('{"amount":5}'),
      headers: { [HEADER.deadline]: '2100-01-01T00:00:00Z' },
    })(),
  );

/** A log with nothing in it. */
interface EmptyLog extends AsyncDisposable {
  readonly dir: TempDir;
  readonly server: TestServer;
  readonly nc: NatsConnection;
  readonly jsm: JetStreamManager;
}

export const emptyLog = async (maxBytes?: number): Promise<EmptyLog> => {
  const dir = tempDir();
  const server = await startServer({ syncInterval: 'always' });
  const nc = await dial(server);
  await createLog(nc, maxBytes);
  return {
    dir,
    server,
    nc,
    jsm: await jetstreamManager(nc),
    [Symbol.asyncDispose]: async () => {
      await nc.close();
      await server[Symbol.asyncDispose]();
      await dir[Symbol.asyncDispose]();
    },
  };
};

/** Adds a schedule by a broker that ends then. */
export const addOnce = async (
  { nc, jsm, dir }: EmptyLog,
  timing: Timing,
  sender?: string,
): Promise<Schedule> => {
  await using part = await start(nc, jsm, dir.path);
  return await add(part.schedules, timing, sender);
};

export const soon = (ms: number): Timing => ({ kind: 'at', atMs: Date.now() + ms });

/** Commands in the log that this schedule sent. */
export const sentBy = async (nc: NatsConnection, { id }: Schedule): Promise<readonly StoredMessage[]> =>
  (await readAll(nc, ['cmd.>'])).filter((message) => message.header(HEADER.schedule) === id);

/** Messages in the stream of the schedules. */
export const leftOf = async (jsm: JetStreamManager): Promise<number> =>
  (await jsm.streams.info(SCHED)).state.messages;

export const listOf = async (schedules: Schedules): Promise<SchedulePage['schedules']> =>
  success(await schedules.list(1)()).schedules;

export const inLog = (
  nc: NatsConnection,
  schedule: Schedule,
  count: number,
): Promise<readonly StoredMessage[]> =>
  waitFor(
    `${count} commands of schedule ${schedule.id}`,
    async () => {
      const found = await sentBy(nc, schedule);
      return found.length >= count ? found : undefined;
    },
    20_000,
  );

/** The times at which the commands of a schedule say that the next one comes. */
export const nexts = (sent: readonly StoredMessage[]): readonly (string | undefined)[] =>
  sent.map((message) => message.header(HEADER.next));
