import { isLeft } from 'fp-ts/lib/Either.js';
import { connect } from 'nats';
import { startReaper } from '../../system/processes/reaper.js';
import accounts from '../../modules/accounts/index.js';
import { createClient } from '../../modules/client/index.js';
import { startBenchBroker } from '../bench/bench-broker.js';
import { makeBenchDir } from '../bench/bench-dir.js';
import { type Measured, measured } from '../bench/rounds.js';
import { formatNumber } from '../../text/numbers.js';

const { manifest: accountsManifest } = accounts;

export interface Starting {
  readonly agents: number;
  /** From the start of `tallystick start` until all modules handle commands, seconds. */
  readonly broker: Measured;
  /** The same before there was an agent. */
  readonly empty: Measured;
}

const IN_FLIGHT = 500;

const deposit = async (url: string, agents: number): Promise<void> => {
  const nc = await connect({ servers: url });
  const client = createClient(nc);
  let next = 0;
  const caller = async (): Promise<void> => {
    for (let i = next++; i < agents; i = next++) {
      const answered = await client.call(accountsManifest, 'deposit', `agent-${i}`, {
        amount: 1 + (i % 100),
      })();
      if (isLeft(answered)) throw new Error(answered.left.error.message);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, caller));
  await nc.close();
};

/** How long a broker takes to start with agents in its snapshots, and without. */
export const measureStarting = async (
  agents: number,
  rounds: number,
  say: (line: string) => void,
): Promise<Starting> => {
  await using dir = await makeBenchDir();
  const reaper = startReaper();
  const rounded = async (name: string): Promise<Measured> => {
    const seconds: number[] = [];
    for (let round = 1; round <= rounds; round++) {
      await using broker = await startBenchBroker(dir.path, reaper);
      seconds.push(broker.seconds);
      say(`${name}: ${broker.seconds.toFixed(2)} s`);
    }
    return measured(seconds);
  };
  try {
    const empty = await rounded('start without agents');
    {
      await using broker = await startBenchBroker(dir.path, reaper);
      await deposit(broker.url, agents);
    }
    const broker = await rounded(`start with ${formatNumber(agents)} agents`);
    return { agents, broker, empty };
  } finally {
    await reaper.close();
  }
};
