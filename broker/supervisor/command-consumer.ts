import {
  AckPolicy,
  type ConsumerConfig,
  type ConsumerInfo,
  DeliverPolicy,
  type JetStreamManager,
} from '@nats-io/jetstream';
import { commandConsumer, LOG, PULL_GROUP } from '../../schemas/log.js';
import { isThrown } from '../../link/jetstream-error.js';

/**
 * Acks move a checkpoint and nothing else: what was handled is in the log. So a message is never sent again by time.
 */
const ACK_WAIT_NS = 24 * 3_600 * 1_000_000_000;
const MAX_ACK_PENDING = 1_000_000;

/** See {@link PULL_GROUP}. */
export const PINNED: Pick<ConsumerConfig, 'priority_groups' | 'priority_policy'> = {
  priority_groups: [PULL_GROUP],
  // The client exports the values of this setting as types only.
  priority_policy: 'pinned_client' as NonNullable<ConsumerConfig['priority_policy']>,
};

const configOf = (module: string): Partial<ConsumerConfig> => ({
  durable_name: commandConsumer(module),
  description: `commands of module ${module}`,
  ack_policy: AckPolicy.All,
  deliver_policy: DeliverPolicy.All,
  filter_subjects: [`cmd.${module}.>`],
  ...PINNED,
  ack_wait: ACK_WAIT_NS,
  max_ack_pending: MAX_ACK_PENDING,
});

const isThere = async (jsm: JetStreamManager, name: string): Promise<boolean> => {
  try {
    await jsm.consumers.info(LOG, name);
    return true;
  } catch (error) {
    if (!isThrown(error, 'consumerNotFound')) throw error;
    return false;
  }
};

/**
 * The module's consumer, with the settings of today also where an earlier version made it.
 *
 * A consumer whose settings a loss of power has damaged is left out by nats-server at its start, and one of that name
 * that is made again takes over where the other one stood (2.15.1: jetstream.go 1350, filestore.go 13625): maybe in a
 * log that has lost records since, where commands below would never be handled. What is made here begins with the
 * log.
 */
export const ensureCommandConsumer = async (jsm: JetStreamManager, module: string): Promise<ConsumerInfo> => {
  const name = commandConsumer(module);
  const config = configOf(module);
  const isOld = await isThere(jsm, name);
  try {
    const made = await jsm.consumers.add(LOG, config);
    if (isOld || made.delivered.stream_seq === 0) return made;
    await jsm.consumers.delete(LOG, name);
    return await jsm.consumers.add(LOG, config);
  } catch (error) {
    if (!isThrown(error, 'consumerAlreadyExists')) throw error;
    return jsm.consumers.update(LOG, name, config);
  }
};
