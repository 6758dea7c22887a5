import { headers, type MsgHdrs, type NatsConnection } from 'nats';
import { beatSubject, readySubject, startSubject } from '../../schemas/control.js';
import { HEADER } from '../../schemas/headers.js';
import { PRODUCER } from '../../schemas/producer-requests.js';
import { SCHEDULE_HEADER } from '../../schemas/schedule.js';
import { HOSTILE } from './hostile-module.js';

/** Who floods: a client without a credential, a program with a token, or a module that was taken over. */
export type Flooding = 'guest' | 'token' | 'module';

/** One flood. */
export interface FairFlood {
  readonly by: Flooding;
  readonly connections: number;
  /** Requests on their way, of each connection; without it, nothing is waited for but room in the connection. */
  readonly inFlight?: number;
  readonly send: (nc: NatsConnection, number: number) => unknown;
  /** Connections that hear every record and never read. */
  readonly deaf?: number;
}

/** Above it nothing is waited for: it was lost, and the next one is sent. */
const TIMEOUT_MS = 5_000;
const options = { timeout: TIMEOUT_MS };
const ONE = '{"amount":1}';
const LARGE = `{"amount":1${' '.repeat(250_000)}}`;
const KIB = JSON.stringify('k'.repeat(1_000));
const NEARLY_MIB = JSON.stringify('k'.repeat(900 * 1_024));

const withHeaders = (values: Readonly<Record<string, string>>): MsgHdrs => {
  const all = headers();
  for (const [name, value] of Object.entries(values)) all.set(name, value);
  return all;
};

const later = withHeaders({ [SCHEDULE_HEADER.in]: '1h' });
const often = withHeaders({ [SCHEDULE_HEADER.every]: '1s' });
/** A command that the log does not have yet, and will not have for long. */
const FUTURE = '900000000';

const calls =
  (subject: string, payload = ONE): FairFlood['send'] =>
  (nc, i) =>
    nc.request(`${subject}.flood-${i % 100}`, payload, options);

const published =
  (subject: string, payload = ONE): FairFlood['send'] =>
  (nc) =>
    nc.publish(subject, payload);

const BATCH = 500;

/** Batches that are open and never end: the server holds them. */
const openBatches: FairFlood['send'] = (nc, i) => {
  const [batch, place] = [Math.floor(i / BATCH), (i % BATCH) + 1];
  nc.publish(`evt.${HOSTILE}.seen`, KIB, {
    headers: withHeaders({ 'Nats-Batch-Id': `b${batch}`, 'Nats-Batch-Sequence': String(place) }),
  });
};

export const FAIR_FLOODS = {
  'guest: calls': { by: 'guest', connections: 1, inFlight: 2_000, send: calls('call.accounts.deposit') },
  'guest: calls, 32 connections': {
    by: 'guest',
    connections: 32,
    inFlight: 64,
    send: calls('call.accounts.deposit'),
  },
  'guest: commands to no module': {
    by: 'guest',
    connections: 1,
    send: (nc, i) => nc.publish(`cmd.nobody.act.flood-${i % 100}`, ONE, { reply: '_INBOX.flood' }),
  },
  'token: calls, 32 connections': {
    by: 'token',
    connections: 32,
    inFlight: 64,
    send: calls('call.accounts.deposit'),
  },
  'token: commands, 32 connections': {
    by: 'token',
    connections: 32,
    inFlight: 64,
    send: calls('cmd.accounts.deposit'),
  },
  'token: large calls, 32 connections': {
    by: 'token',
    connections: 32,
    inFlight: 8,
    send: calls('call.accounts.deposit', LARGE),
  },
  'token: hanging calls': {
    by: 'token',
    connections: 1,
    inFlight: 50_000,
    send: calls(`call.${HOSTILE}.hang`),
  },
  'token: states, 32 connections': {
    by: 'token',
    connections: 32,
    inFlight: 64,
    send: (nc, i) => nc.request(`state.accounts.flood-${i % 100}`, '', options),
  },
  'token: discovery, 32 connections': {
    by: 'token',
    connections: 32,
    inFlight: 32,
    send: (nc) => nc.request('$SRV.INFO', '', options),
  },
  'token: schedules, 32 connections': {
    by: 'token',
    connections: 32,
    inFlight: 32,
    send: (nc) => nc.request('schedule.accounts.deposit.flood', ONE, { ...options, headers: later }),
  },
  'token: schedules that fire each second': {
    by: 'token',
    connections: 1,
    inFlight: 200,
    send: (nc, i) =>
      nc.request(`schedule.accounts.deposit.flood-${i % 100}`, ONE, { ...options, headers: often }),
  },
  'token: producers, 32 connections': {
    by: 'token',
    connections: 32,
    inFlight: 32,
    send: (nc, i) => {
      const body = { name: `flood-${i}`, instance: 'i', takeover: true, previous: null };
      return nc.request(PRODUCER.open, JSON.stringify(body), options);
    },
  },
  'guest: slow readers': {
    by: 'guest',
    connections: 4,
    inFlight: 4,
    deaf: 24,
    send: calls('call.accounts.deposit', `{"amount":1${' '.repeat(32_000)}}`),
  },
  'module: calls': { by: 'module', connections: 8, inFlight: 500, send: calls('call.accounts.deposit') },
  'module: calls that hang': {
    by: 'module',
    connections: 1,
    inFlight: 50_000,
    send: calls(`call.${HOSTILE}.hang`),
  },
  'module: calls without a reader': {
    by: 'module',
    connections: 1,
    send: (nc, i) => nc.publish(`call.accounts.deposit.flood-${i % 100}`, ONE, { reply: '_INBOX.flood' }),
  },
  'module: calls with a cause to come': {
    by: 'module',
    connections: 1,
    send: (nc, i) =>
      nc.publish(`call.accounts.deposit.flood-${i % 100}`, ONE, {
        reply: '_INBOX.flood',
        headers: withHeaders({ [HEADER.cause]: FUTURE, [HEADER.call]: String(i) }),
      }),
  },
  'module: commands': { by: 'module', connections: 1, send: published(`cmd.${HOSTILE}.hang.flood`) },
  'module: events of 1 KiB': { by: 'module', connections: 1, send: published(`evt.${HOSTILE}.seen`, KIB) },
  'module: events of 900 KiB': {
    by: 'module',
    connections: 1,
    send: published(`evt.${HOSTILE}.seen`, NEARLY_MIB),
  },
  'module: batches': { by: 'module', connections: 1, send: openBatches },
  'module: beats': {
    by: 'module',
    connections: 1,
    send: published(beatSubject(HOSTILE), '{"pid":1,"handled":1,"pending":0,"agents":0}'),
  },
  'module: starts': {
    by: 'module',
    connections: 1,
    send: published(startSubject(HOSTILE), '{"snapshotSeq":0,"logId":null}'),
  },
  'module: ready': { by: 'module', connections: 1, send: published(readySubject(HOSTILE), '{"pid":1}') },
  'module: questions to the server': {
    by: 'module',
    connections: 8,
    inFlight: 250,
    send: (nc) => nc.request(`TJS.API.CONSUMER.INFO.LOG.${HOSTILE}`, '', options),
  },
} as const satisfies Readonly<Record<string, FairFlood>>;

export type FairFloodName = keyof typeof FAIR_FLOODS;
export const FAIR_FLOOD_NAMES = Object.keys(FAIR_FLOODS) as readonly FairFloodName[];
/** A process that computes, and sends nothing: what the machine alone does to others. */
export const HOG = 'a process that computes';
