import { DeliverPolicy, jetstream } from '@nats-io/jetstream';
import { isLeft } from 'fp-ts/lib/Either.js';
import { connect, type NatsConnection } from 'nats';
import type { Producer } from '../../../journal/index.js';
import { FaultError } from '../../../schemas/errors.js';
import { openProducer } from '../../journal/load.js';
import type { Channel } from './channel.js';

const SUBJECT = 'evt.bench.appended.a';
const BACK = 'ipc.back';
const STREAM = 'LOG';
/** Of the sender without an acknowledgement: as much as keeps the journal busy. */
const WINDOW = { records: 20_000, bytes: 32 * 1024 * 1024 };

/** Of the receiver, so much may be under way: a server cuts a reader off that has too much to come. */
const READ_BYTES = 8 * 1024 * 1024;

const submitted = (producer: Producer): Pick<Channel, 'send'> => {
  let records = 0;
  let bytes = 0;
  let goOn: (() => void) | undefined;
  let failed: FaultError | undefined;
  const isFull = (): boolean => records >= WINDOW.records || bytes >= WINDOW.bytes;
  return {
    send: (message) => {
      if (failed !== undefined) throw failed;
      records += 1;
      bytes += message.length;
      producer.submit({ subject: SUBJECT, data: message }, (outcome) => {
        records -= 1;
        bytes -= message.length;
        if (isLeft(outcome)) failed = new FaultError(outcome.left);
        if (!isFull()) goOn?.();
      });
      if (!isFull()) return undefined;
      return new Promise((resolve) => {
        goOn = resolve;
      });
    },
  };
};

const onPlain = (nc: NatsConnection): Pick<Channel, 'onMessage'> => ({
  onMessage: (handle) => {
    nc.subscribe(BACK, { callback: (_, message) => handle(message.data) });
  },
});

/** A message is a record of the log. What comes back is a plain message: it says that the record was read. */
export const openJournalSender = async (url: string, durability: 'os' | 'fsync'): Promise<Channel> => {
  const nc = await connect({ servers: url });
  const producer = await openProducer(nc, durability);
  return {
    ...submitted(producer),
    ...onPlain(nc),
    close: async () => {
      await producer.close();
      await nc.close();
    },
  };
};

/** Reads the records that come from now on, in order, as a program of JetStream's client does. */
export const openJournalReceiver = async (url: string): Promise<Channel> => {
  const nc = await connect({ servers: url });
  const consumer = await jetstream(nc).consumers.get(STREAM, {
    filter_subjects: [SUBJECT],
    deliver_policy: DeliverPolicy.New,
  });
  return {
    send: (message) => {
      nc.publish(BACK, message);
      return undefined;
    },
    onMessage: (handle) => {
      void consumer.consume({ callback: (message) => handle(message.data), max_bytes: READ_BYTES });
    },
    close: () => nc.close(),
  };
};
