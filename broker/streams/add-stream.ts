import type { JetStreamManager, StreamConfig, StreamInfo } from '@nats-io/jetstream';

/**
 * Makes a stream that is found again. The settings of a stream are a file, and their checksum another; nats-server
 * leaves out, at its start, a stream that has no checksum or a wrong one, which a kill or a loss of power between the
 * two leaves (2.15.1: jetstream.go 1447, 1465). A new stream of that name takes over the files, records and all, but
 * writes neither of the two where there are settings (filestore.go 639): it would be left out again by the next
 * start. An update writes both.
 */
export const addStream = async (
  jsm: JetStreamManager,
  config: Partial<StreamConfig> & { name: string },
): Promise<StreamInfo> => {
  const { config: made } = await jsm.streams.add(config);
  return jsm.streams.update(config.name, made);
};
