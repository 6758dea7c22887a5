import { connect, type NatsConnection } from 'nats';
import { verifyLog } from '../../replay/verify/verify-log.js';
import type { Verification } from '../../schemas/verification.js';
import { success } from '../support/either.js';
import { startServer } from '../support/server.js';
import { type Copied, storeLog } from './log-copy.js';

/** A server on which tests verify copies of a log that they have changed. */
export interface ChangedLogs extends AsyncDisposable {
  readonly nc: NatsConnection;
  readonly verify: (records: readonly Copied[]) => Promise<Verification>;
}

export const startChangedLogs = async (): Promise<ChangedLogs> => {
  const server = await startServer();
  const nc = await connect({ servers: server.url });
  return {
    nc,
    verify: async (records) => {
      await storeLog(nc, records);
      return success(await verifyLog({ nc, graceMs: 0 })()).verification;
    },
    [Symbol.asyncDispose]: async () => {
      await nc.close();
      await server[Symbol.asyncDispose]();
    },
  };
};
