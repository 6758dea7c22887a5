import type { Place, StateReader, StateWriter } from '../store.js';
import { natsReader, natsWriter } from './nats.js';
import { redisReader, redisWriter } from './redis.js';
import { sqliteReader, sqliteWriter } from './sqlite.js';

export const openWriter = async (place: Place): Promise<StateWriter> => {
  switch (place.store) {
    case 'nats':
      return natsWriter(place.url);
    case 'redis':
      return redisWriter(place.port);
    case 'sqlite':
      return sqliteWriter(place.file, place.folder);
  }
};

export const openReader = async (place: Place): Promise<StateReader> => {
  switch (place.store) {
    case 'nats':
      return natsReader(place.url);
    case 'redis':
      return redisReader(place.port);
    case 'sqlite':
      return sqliteReader(place.file, place.folder);
  }
};
