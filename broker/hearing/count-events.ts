import { AckPolicy, DeliverPolicy, type JetStreamManager } from '@nats-io/jetstream';
import { nuid } from 'nats';
import { covers, heardSubjects } from '../../schemas/heard-events.js';
import { LOG } from '../../schemas/log.js';

const IDLE_NS = 5_000_000_000;

const ofAgent = (names: readonly string[], agent: string): readonly string[] =>
  names.map((name) => `evt.${name.replace('>', '*')}.${agent}`);

/**
 * How many events of these names are in the log behind a sequence: `accounts.deposited`, `accounts.>`; of one agent, if
 * it is given.
 */
export const countEvents = async (
  jsm: JetStreamManager,
  names: readonly string[],
  after: number,
  agent?: string,
): Promise<number> => {
  // The server refuses filters that overlap.
  const isCovered = (name: string): boolean => names.some((other) => other !== name && covers(other, name));
  const wanted = names.filter((name) => !isCovered(name));
  const subjects = agent === undefined ? wanted.flatMap(heardSubjects) : [...ofAgent(wanted, agent)];
  if (subjects.length === 0) return 0;
  const { name, num_pending } = await jsm.consumers.add(LOG, {
    name: `count-${nuid.next()}`,
    ack_policy: AckPolicy.None,
    deliver_policy: DeliverPolicy.StartSequence,
    opt_start_seq: after + 1,
    filter_subjects: subjects,
    mem_storage: true,
    num_replicas: 1,
    inactive_threshold: IDLE_NS,
  });
  await jsm.consumers.delete(LOG, name);
  return num_pending;
};
