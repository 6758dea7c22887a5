import { PRODUCER } from '../../../schemas/producer-requests.js';
import type { Seeded } from '../../support/seeded.js';
import { SERVED, target, token } from '../generate/address.js';
import { headerBlock, headersOf } from '../generate/header-block.js';
import { oddText } from '../generate/odd-text.js';
import { bodyOf, payload } from '../generate/payload.js';
import { pickWeighted } from '../generate/pick-weighted.js';
import type { Family, Known, Principal, RequestInput } from '../input.js';

type Made = Pick<RequestInput, 'kind' | 'subject' | 'payload'> &
  Partial<Pick<RequestInput, 'headers' | 'promised'>>;

type Maker = (random: Seeded, known: Known) => Made;

const sequence = (random: Seeded, { lastSeq }: Known): number =>
  random.next() < 0.8
    ? random.int(1, Math.max(1, lastSeq))
    : random.pick([0, -1, 1.5, 2 ** 53, Number.MAX_SAFE_INTEGER, 1e308]);

const addressed =
  (verb: string): Maker =>
  (random) => {
    const { address, schema } = target(random);
    return { kind: verb, subject: `${verb}.${address}`, payload: payload(random, schema) };
  };

const WHEN = ['Tally-At', 'Tally-In', 'Tally-Every', 'Tally-Cron'] as const;
const TIMES = ['1h', '2d', '30m', '2040-01-01T00:00:00Z', '0 0 1 1 *', '@yearly', '86400s'] as const;

const schedule: Maker = (random) => {
  const made = addressed('schedule')(random, { lastSeq: 1 });
  if (random.next() < 0.4) return made;
  const text = random.next() < 0.7 ? random.pick(TIMES) : oddText(random);
  const zone = random.next() < 0.2 ? { 'Tally-Timezone': oddText(random) } : {};
  return { ...made, headers: headersOf({ [random.pick(WHEN)]: text, ...zone }) };
};

const PRODUCER_NAMES = ['a', 'b', 'sensor-7'] as const;

/** Wide ranges and an unknown past make the broker read much of the log for one request: few of them. */
const producer: Maker = (random, known) => {
  const from = sequence(random, known);
  const verb = random.next() < 0.95 ? random.pick(Object.values(PRODUCER)) : `producer.${token(random)}`;
  const previous = (): unknown => ({
    epoch: sequence(random, known),
    last: sequence(random, known),
    holes: random.next() < 0.5 ? [] : [sequence(random, known)],
  });
  const body = bodyOf(random, {
    name: () => (random.next() < 0.9 ? random.pick(PRODUCER_NAMES) : oddText(random)),
    instance: () => random.pick(['i1', 'i2', 'i3']),
    takeover: () => random.next() < 0.5,
    previous: () => (random.next() < 0.95 ? previous() : null),
    epoch: () => sequence(random, known),
    fromSeq: () => from,
    toSeq: () => (random.next() < 0.99 ? from + random.int(-1, 500) : sequence(random, known)),
    account: () => random.pick(['guest', 'operator', ...SERVED]),
  });
  return { kind: 'producer', subject: verb, payload: body };
};

const state: Maker = (random, known) => {
  const module = random.next() < 0.8 ? random.pick(SERVED) : token(random);
  const subject = random.next() < 0.2 ? `state.${module}` : `state.${module}.${token(random)}`;
  const atLeast = random.next() < 0.8 ? `${sequence(random, known)}` : oddText(random);
  const headers = random.next() < 0.3 ? { headers: headersOf({ 'Tally-At-Least': atLeast }) } : {};
  return { kind: 'state', subject, payload: payload(random), ...headers };
};

const discovery: Maker = (random) => {
  const verb = random.pick(['PING', 'INFO', 'STATS']);
  const name = random.pick(SERVED);
  if (random.next() < 0.5) return { kind: '$SRV', subject: `$SRV.${verb}.${name}`, payload: payload(random) };
  const odd = random.pick([
    `$SRV.${token(random)}`,
    `$SRV.${verb}.${token(random)}`,
    `$SRV.${verb}.${name}.x.y`,
  ]);
  return { kind: '$SRV', subject: odd, payload: payload(random), promised: false };
};

const FOREIGN = [
  'evt.accounts.deposited.eve',
  'res.accounts.deposit.eve',
  'epoch.accounts',
  'ctl.accounts.beat',
  'live.res.accounts.deposit.eve',
  'send.accounts.deposit.eve.operator',
  'call.accounts.credit.eve.accounts',
  'dead.accounts.deposit.eve.1',
  'delivered.a.1',
  'consumer.create.LOG.x',
  '$JS.API.STREAM.PURGE.LOG',
  '$JS.API.STREAM.DELETE.LOG',
  '$JS.API.STREAM.UPDATE.LOG',
  '$JS.API.CONSUMER.DELETE.LOG.accounts',
  '_R_.x.y',
  '_INBOX.x',
] as const;

/** What this account has no right to. */
const foreign: Maker = (random) => ({
  kind: 'foreign',
  subject: random.next() < 0.7 ? random.pick(FOREIGN) : `${random.pick(FOREIGN)}.${token(random)}`,
  payload: payload(random),
  // A subject of the account's own, where somebody listens, is a message and no request.
  promised: false,
});

const PEOPLE: readonly (readonly [number, Maker])[] = [
  [45, addressed('call')],
  [22, addressed('cmd')],
  [15, schedule],
  [4, producer],
  [3, state],
  [6, discovery],
  [8, foreign],
];

const CONSUMERS = ['fuzz-1', 'fuzz-2', 'fuzz-3'] as const;

type Fields = Readonly<Record<string, () => unknown>>;

/** What the server takes in each request; it refuses what has more. */
const apiFields = (random: Seeded, known: Known, consumer: string): Readonly<Record<string, Fields>> => {
  const seq = (): number => sequence(random, known);
  const config = (): unknown => ({
    name: consumer,
    ack_policy: random.pick(['none', 'explicit', 'all']),
    deliver_policy: random.pick(['all', 'last', 'new', 'by_start_sequence']),
    opt_start_seq: seq(),
    filter_subject: random.pick(['evt.>', 'cmd.accounts.>', '>', token(random)]),
    inactive_threshold: 1_000_000_000,
    mem_storage: true,
    ...(random.next() < 0.2
      ? { [random.pick(['deliver_subject', 'flow_control', 'metadata', '__proto__'])]: oddText(random) }
      : {}),
  });
  const page = { offset: () => random.int(0, 3) };
  return {
    '$JS.API.INFO': {},
    '$JS.API.STREAM.LIST': page,
    '$JS.API.STREAM.NAMES': page,
    '$JS.API.STREAM.INFO.LOG': { deleted_details: () => true },
    '$JS.API.STREAM.MSG.GET.LOG': { seq, next_by_subj: () => random.pick(['evt.>', token(random)]) },
    '$JS.API.CONSUMER.NAMES.LOG': page,
    '$JS.API.CONSUMER.LIST.LOG': page,
    [`$JS.API.CONSUMER.INFO.LOG.${consumer}`]: {},
    [`$JS.API.CONSUMER.CREATE.LOG.${consumer}`]: {
      stream_name: () => 'LOG',
      config,
      action: () => random.pick(['create', 'update', '']),
    },
    [`$JS.API.CONSUMER.DELETE.LOG.${consumer}`]: {},
  };
};

/** Where the answer is a record, several, or none. */
const streamedFields = (random: Seeded, known: Known, consumer: string): Readonly<Record<string, Fields>> => {
  const pull = {
    batch: () => random.int(-1, 3),
    no_wait: () => true,
    max_bytes: () => random.int(-1, 9_999),
  };
  return {
    '$JS.API.DIRECT.GET.LOG': { seq: () => sequence(random, known), batch: () => random.int(-1, 3) },
    [`$JS.API.CONSUMER.MSG.NEXT.LOG.${consumer}`]: pull,
    [`consumer.next.LOG.${consumer}.r.${random.int(1, 9)}`]: pull,
    [`$JS.ACK.LOG.${consumer}.1.1.1.1.1`]: {},
  };
};

const api: Maker = (random, known) => {
  const promised = random.next() < 0.8;
  const consumer = random.next() < 0.8 ? random.pick(CONSUMERS) : token(random);
  const all = (promised ? apiFields : streamedFields)(random, known, consumer);
  const [subject, fields] = random.pick(Object.entries(all));
  const kind = subject.replace(/\.LOG.*/, '');
  // A dot in the consumer's name makes another subject, which the server's API leaves unanswered.
  return { kind, subject, payload: bodyOf(random, fields), promised: promised && !consumer.includes('.') };
};

/** A wish to have the server trace a message can be a wish that nobody gets it. */
const isTraced = (headers: Buffer | undefined): boolean => headers?.includes('Nats-Trace-') === true;

const family =
  (as: Principal, makers: readonly (readonly [number, Maker])[]): Family =>
  (random, known) => {
    const { kind, subject, payload: body, headers, promised } = pickWeighted(random, makers)(random, known);
    const block = headers ?? headerBlock(random, known);
    return {
      type: 'request',
      kind,
      as,
      subject,
      ...(block === undefined ? {} : { headers: block }),
      payload: body,
      promised: promised !== false && !isTraced(block),
    };
  };

/** What a guest may ask, and what a guest may not. */
export const guestRequests: Family = family('guest', PEOPLE);

/** The same from the operator, with what an operator reads the log by. */
export const operatorRequests: Family = family('operator', [...PEOPLE, [25, api]]);
