import type { NatsConnection } from 'nats';
import { SCHEDULE_HEADER } from '../../schemas/schedule.js';
import { PRODUCER } from '../../schemas/producer-requests.js';
import { headers } from 'nats';

/** What a guest can send without end: how many at a time, and how the next one is sent. */
export interface FloodKind {
  readonly inFlight: number;
  readonly send: (nc: NatsConnection, number: number) => Promise<unknown>;
}

/** Above it nothing is waited for: it was lost, and the next one is sent. */
const TIMEOUT_MS = 5_000;
const options = { timeout: TIMEOUT_MS };

/** As much as a module takes. */
const LARGE = `{"amount":1${' '.repeat(250_000)}}`;

const later = headers();
later.set(SCHEDULE_HEADER.in, '1h');

export const FLOODS = {
  calls: {
    inFlight: 2_000,
    send: (nc, i) => nc.request(`call.accounts.deposit.flood-${i % 100}`, '{"amount":1}', options),
  },
  commands: {
    inFlight: 2_000,
    send: (nc, i) => nc.request(`cmd.accounts.deposit.flood-${i % 100}`, '{"amount":1}', options),
  },
  'large calls': {
    inFlight: 200,
    send: (nc, i) => nc.request(`call.accounts.deposit.flood-${i % 100}`, LARGE, options),
  },
  schedules: {
    inFlight: 1_000,
    send: (nc) =>
      nc.request('schedule.accounts.deposit.flood', '{"amount":1}', { ...options, headers: later }),
  },
  producers: {
    inFlight: 1_000,
    send: (nc, i) => {
      const body = { name: `flood-${i}`, instance: 'i', takeover: true, previous: null };
      return nc.request(PRODUCER.open, JSON.stringify(body), options);
    },
  },
  discovery: { inFlight: 1_000, send: (nc) => nc.request('$SRV.INFO', '', options) },
} as const satisfies Readonly<Record<string, FloodKind>>;

export type FloodName = keyof typeof FLOODS;
export const FLOOD_NAMES = Object.keys(FLOODS) as readonly FloodName[];
