import { REQUEST } from '../calls/callees.js';
import { RESTATE } from '../calls/restate-callee.js';
import type { StoreLevel } from './log-contenders.js';

/** What a reader must know of a callee to understand its figures. */
interface CallAbout {
  readonly label: string;
  readonly level: StoreLevel;
  readonly isOwn?: boolean;
  readonly note: string;
}

const own = (level: 'os' | 'fsync'): CallAbout => ({
  label: `Tallystick ${level}`,
  level,
  isOwn: true,
  note: `a broker with --durability ${level}; command, result and event are records; called by a NATS request`,
});

/** By name of the callee. */
export const CALL_NOTES: Readonly<Record<string, CallAbout>> = {
  os: own('os'),
  fsync: own('fsync'),
  [REQUEST]: {
    label: 'NATS request',
    level: 'none',
    note: 'the upper limit: a request and a reply; nothing is stored',
  },
  [RESTATE]: {
    label: 'Restate',
    level: 'fsync',
    note: 'a virtual object for each account; its defaults sync its log; called by HTTP, as its documents show',
  },
  temporal: {
    label: 'Temporal',
    level: 'fsync',
    note: 'the dev server with SQLite, synchronous=full; an account is a workflow, a deposit an update; no cluster was measured',
  },
  dbos: {
    label: 'DBOS',
    level: 'fsync',
    note: 'a workflow with one step that changes the balance in the same PostgreSQL, which syncs each commit; called by HTTP',
  },
  'bullmq everysec': {
    label: 'BullMQ everysec',
    level: 'os',
    note: 'a job for each deposit, balances in the same Redis, appendfsync everysec; waitUntilFinished',
  },
  'bullmq always': {
    label: 'BullMQ always',
    level: 'fsync',
    note: 'a job for each deposit, balances in the same Redis, appendfsync always; waitUntilFinished',
  },
  moleculer: {
    label: 'Moleculer',
    level: 'none',
    note: 'a framework over a plain nats-server; nothing is stored',
  },
};
