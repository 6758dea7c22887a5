import { openJetStreamReader, openJetStreamWriter } from './jetstream.js';
import { openKafkaReader, openKafkaWriter } from './kafka.js';
import { openRabbitMqReader, openRabbitMqWriter } from './rabbitmq.js';
import { openRedisReader, openRedisWriter } from './redis-streams.js';
import { openTallystickReader, openTallystickWriter } from './own-log.js';
import { openSocketReader, openSocketWriter } from './unix-socket.js';
import type { Handle, PeerLogPlace, RecordReader, RecordWriter } from './log-client.js';

/** Makes the log, too, where a client must. */
export const openLogWriter = (place: PeerLogPlace): Promise<RecordWriter> => {
  switch (place.via) {
    case 'tallystick':
      return openTallystickWriter(place.url, place.seed);
    case 'jetstream':
      return openJetStreamWriter(place.url);
    case 'redis':
      return openRedisWriter(place.port);
    case 'rabbitmq':
      return openRabbitMqWriter(place);
    case 'kafka':
      return openKafkaWriter(place);
    case 'unix socket':
      return openSocketWriter(place.path);
  }
};

/** Resolves when it gets what comes from now on, and what came before that it has not got. */
export const openLogReader = (place: PeerLogPlace, handle: Handle): Promise<RecordReader> => {
  switch (place.via) {
    case 'tallystick':
      return openTallystickReader(place.data, handle);
    case 'jetstream':
      return openJetStreamReader(place.url, handle);
    case 'redis':
      return openRedisReader(place.port, handle);
    case 'rabbitmq':
      return openRabbitMqReader(place, handle);
    case 'kafka':
      return openKafkaReader(place, handle);
    case 'unix socket':
      return openSocketReader(place.path, handle);
  }
};
