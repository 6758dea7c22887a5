import { eventually } from '../../peers/loopback-server.js';
import { loadFrom } from '../../peers/npm-packages.js';
import { type Handle, type RecordReader, type RecordWriter, timeIn } from './log-client.js';

interface AmqpMessage {
  readonly content: Buffer;
}

/** The part of amqplib that is used here. It is no dependency, so its types are not there. */
interface AmqpChannel {
  assertQueue(name: string, options: unknown): Promise<unknown>;
  sendToQueue(
    name: string,
    content: Buffer,
    options: { readonly persistent: true },
    confirmed: (error: unknown) => void,
  ): boolean;
  prefetch(count: number): Promise<unknown>;
  consume(
    name: string,
    handle: (message: AmqpMessage | null) => void,
  ): Promise<{ readonly consumerTag: string }>;
  ack(message: AmqpMessage): void;
  cancel(tag: string): Promise<unknown>;
  close(): Promise<void>;
}
interface Connection {
  createChannel(): Promise<AmqpChannel>;
  createConfirmChannel(): Promise<AmqpChannel>;
  close(): Promise<void>;
}
interface AmqpLib {
  connect(url: string): Promise<Connection>;
}

export interface RabbitMqPlace {
  readonly port: number;
  readonly folder: string;
}

const QUEUE = 'records';
const AHEAD = 500;

const connectTo = ({ port, folder }: RabbitMqPlace): Promise<Connection> =>
  eventually(() => loadFrom<AmqpLib>(folder, 'amqplib').connect(`amqp://guest:guest@127.0.0.1:${port}`));

/** A quorum queue; each record is persistent, and confirmed. */
export const openRabbitMqWriter = async (place: RabbitMqPlace): Promise<RecordWriter> => {
  const connection = await connectTo(place);
  const channel = await connection.createConfirmChannel();
  await channel.assertQueue(QUEUE, { durable: true, arguments: { 'x-queue-type': 'quorum' } });
  return {
    append: (records) =>
      new Promise((resolve, reject) => {
        let left = records.length;
        for (const record of records)
          channel.sendToQueue(QUEUE, Buffer.from(record), { persistent: true }, (error) => {
            if (error !== null && error !== undefined) return reject(new Error(String(error)));
            left -= 1;
            if (left === 0) resolve();
          });
      }),
    close: () => connection.close(),
  };
};

/** Each message is acknowledged. */
export const openRabbitMqReader = async (place: RabbitMqPlace, handle: Handle): Promise<RecordReader> => {
  const connection = await connectTo(place);
  const channel = await connection.createChannel();
  await channel.prefetch(AHEAD);
  const { consumerTag } = await channel.consume(QUEUE, (message) => {
    if (message === null) return;
    handle(timeIn(message.content.toString()));
    channel.ack(message);
  });
  return {
    close: async () => {
      await channel.cancel(consumerTag);
      await channel.close();
      await connection.close();
    },
  };
};
