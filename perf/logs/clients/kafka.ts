import { eventually } from '../../peers/loopback-server.js';
import { loadFrom } from '../../peers/npm-packages.js';
import { type Handle, type RecordReader, type RecordWriter, timeIn } from './log-client.js';

interface Opens {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
}
interface KafkaBatch {
  readonly batch: { readonly messages: readonly { readonly value: Buffer | null }[] };
}

/** The part of KafkaJS that is used here. It is no dependency, so its types are not there. */
interface KafkaJs {
  readonly Kafka: new (options: {
    readonly clientId: string;
    readonly brokers: readonly string[];
    readonly logLevel: number;
    readonly retry: { readonly initialRetryTime: number; readonly retries: number };
  }) => {
    admin(): Opens & {
      createTopics(options: { readonly topics: readonly unknown[] }): Promise<unknown>;
    };
    producer(options: { readonly allowAutoTopicCreation: false }): Opens & {
      send(batch: {
        readonly topic: string;
        readonly acks: number;
        readonly messages: readonly { readonly value: Buffer }[];
      }): Promise<unknown>;
    };
    consumer(options: { readonly groupId: string }): Opens & {
      readonly events: { readonly GROUP_JOIN: string };
      on(event: string, listener: () => void): void;
      subscribe(options: { readonly topic: string; readonly fromBeginning: boolean }): Promise<void>;
      run(options: { readonly eachBatch: (batch: KafkaBatch) => Promise<void> }): Promise<void>;
    };
  };
}

export interface KafkaPlace {
  readonly port: number;
  readonly folder: string;
}

const TOPIC = 'records';
const ALL_REPLICAS = -1;
const NOTHING = 0;

const clientOf = ({ port, folder }: KafkaPlace) => {
  const { Kafka } = loadFrom<KafkaJs>(folder, 'kafkajs');
  const retry = { initialRetryTime: 100, retries: 8 };
  return new Kafka({ clientId: 'bench', brokers: [`127.0.0.1:${port}`], logLevel: NOTHING, retry });
};

/** One partition, so that records have one order. KafkaJS sends what it is given together as one batch. */
export const openKafkaWriter = async (place: KafkaPlace): Promise<RecordWriter> => {
  const kafka = clientOf(place);
  const admin = kafka.admin();
  await eventually(() => admin.connect());
  await eventually(() =>
    admin.createTopics({ topics: [{ topic: TOPIC, numPartitions: 1, replicationFactor: 1 }] }),
  );
  await admin.disconnect();
  const producer = kafka.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  return {
    append: async (records) => {
      const messages = records.map((record) => ({ value: Buffer.from(record) }));
      await producer.send({ topic: TOPIC, acks: ALL_REPLICAS, messages });
    },
    close: () => producer.disconnect(),
  };
};

/** A group; the client commits its position after each batch. */
export const openKafkaReader = async (place: KafkaPlace, handle: Handle): Promise<RecordReader> => {
  const consumer = clientOf(place).consumer({ groupId: 'readers' });
  await consumer.connect();
  await consumer.subscribe({ topic: TOPIC, fromBeginning: true });
  const joined = new Promise<void>((resolve) => consumer.on(consumer.events.GROUP_JOIN, resolve));
  await consumer.run({
    eachBatch: async ({ batch }) => {
      for (const { value } of batch.messages) handle(timeIn((value ?? '').toString()));
    },
  });
  await joined;
  return { close: () => consumer.disconnect() };
};
