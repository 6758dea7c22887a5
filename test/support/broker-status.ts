import { type BrokerStatus, OPS } from '../../schemas/operate.js';
import { connectOperator } from './log-checks.js';

/** What `tallystick status` asks for, over a connection: for tests that ask often, and of something else. */
export const brokerStatus = async (dataDir: string): Promise<BrokerStatus> => {
  const nc = await connectOperator(dataDir);
  try {
    return (await nc.request(OPS.status, '{}', { timeout: 5_000 })).json<BrokerStatus>();
  } finally {
    await nc.close();
  }
};
