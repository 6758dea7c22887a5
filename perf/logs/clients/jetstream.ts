import { AckPolicy, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect } from 'nats';
import { type Handle, type RecordReader, type RecordWriter, timeIn } from './log-client.js';

const STREAM = 'PEER';
const SUBJECT = 'peer.records';
const READER = 'reader';
/** As of other readers; the client's default is 100. */
const AHEAD = 500;

/** A stream in a file, and a publish with an acknowledgement for each record. */
export const openJetStreamWriter = async (url: string): Promise<RecordWriter> => {
  const nc = await connect({ servers: url });
  const manager = await jetstreamManager(nc);
  await manager.streams.add({ name: STREAM, subjects: [SUBJECT] });
  await manager.consumers.add(STREAM, {
    durable_name: READER,
    ack_policy: AckPolicy.Explicit,
    max_ack_pending: 10 * AHEAD,
  });
  const js = jetstream(nc, { timeout: 60_000 });
  return {
    append: async (records) => {
      await Promise.all(records.map((record) => js.publish(SUBJECT, record)));
    },
    close: () => nc.close(),
  };
};

/** A durable consumer. Each message is acknowledged. */
export const openJetStreamReader = async (url: string, handle: Handle): Promise<RecordReader> => {
  const nc = await connect({ servers: url });
  const consumer = await jetstream(nc).consumers.get(STREAM, READER);
  const messages = await consumer.consume({
    max_messages: AHEAD,
    callback: (message) => {
      handle(timeIn(message.string()));
      message.ack();
    },
  });
  return {
    close: async () => {
      await messages.close();
      await nc.drain();
    },
  };
};
