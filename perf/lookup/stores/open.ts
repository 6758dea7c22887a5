import type { StoreLocation, StateReader, StateWriter } from './store.js';
import { natsReader, natsWriter } from './nats.js';
import { redisReader, redisWriter } from './redis.js';
import { snapshotsReader, snapshotsWriter } from './snapshots-place.js';
import { sqliteReader, sqliteWriter } from './sqlite.js';

export const openWriter = async (place: StoreLocation): Promise<StateWriter> => {
  switch (place.store) {
    case 'snapshots':
      return snapshotsWriter(place.dataDir);
    case 'nats':
      return natsWriter(place.url);
    case 'redis':
      return redisWriter(place.port);
    case 'sqlite':
      return sqliteWriter(place.file, place.folder);
  }
};

export const openReader = async (place: StoreLocation): Promise<StateReader> => {
  switch (place.store) {
    case 'snapshots':
      return snapshotsReader(place.dataDir);
    case 'nats':
      return natsReader(place.url);
    case 'redis':
      return redisReader(place.port);
    case 'sqlite':
      return sqliteReader(place.file, place.folder);
  }
};
