import type { JetStreamManager, StreamInfo } from '@nats-io/jetstream';
import { isThrown } from '../../link/jetstream-error.js';

/** The stream of that name; undefined when there is none. */
export const findStream = async (jsm: JetStreamManager, name: string): Promise<StreamInfo | undefined> => {
  try {
    return await jsm.streams.info(name);
  } catch (error) {
    if (isThrown(error, 'streamNotFound')) return undefined;
    throw error;
  }
};
