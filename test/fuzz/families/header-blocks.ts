import { PRODUCER } from '../../../schemas/producer-requests.js';
import type { Seeded } from '../../support/seeded.js';
import { SERVED, target } from '../generate/address.js';
import { noHeaderBlock } from '../generate/header-block.js';
import { payload } from '../generate/payload.js';
import type { Family, Principal } from '../input.js';

const SERVES: readonly ((random: Seeded) => string)[] = [
  (random) => `call.${target(random).address}`,
  () => 'call.accounts.deposit.agent-1',
  (random) => `cmd.${target(random).address}`,
  () => 'cmd.accounts.deposit.agent-1',
  () => 'schedule.accounts.deposit.agent-1',
  (random) => random.pick(Object.values(PRODUCER)),
  (random) => `$SRV.${random.pick(['PING', 'INFO', 'STATS'])}.${random.pick(SERVED)}`,
];
const OPERATED: readonly ((random: Seeded) => string)[] = [
  ...SERVES,
  () => 'ops.status',
  () => 'ops.dead.list',
  () => '$JS.API.CONSUMER.CREATE.LOG.fuzz-4',
];

/** Messages whose header part is no headers, on every subject that is served. */
export const headerBlocks: Family = (random, known) => {
  const as: Principal = random.next() < 0.7 ? 'guest' : 'operator';
  const subject = random.pick(as === 'guest' ? SERVES : OPERATED)(random);
  const headers = noHeaderBlock(random, known);
  return {
    type: 'request',
    kind: `header block, ${subject.split('.')[0]}`,
    as,
    subject,
    headers,
    payload: payload(random, { type: 'object', properties: { amount: { type: 'integer', minimum: 1 } } }),
    promised: !headers.includes('Nats-Trace-'),
  };
};
