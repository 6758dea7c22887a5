import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { isLeft } from 'fp-ts/lib/Either.js';
import { connect } from 'nats';
import { packageRoot } from '../../broker/process/package-root.js';
import { type Reaper, startReaper } from '../../broker/process/reaper.js';
import { manifest } from '../../modules/accounts/manifest.js';
import { createClient } from '../../modules/sdk/index.js';
import type { Ready } from '../../schemas/operate.js';
import { makeBenchDir } from '../bench-dir.js';
import { type Measured, measured } from '../rounds.js';

export interface Starting {
  readonly agents: number;
  /** From the start of `tallystick start` until all modules handle commands, seconds. */
  readonly broker: Measured;
  /** The same before there was an agent. */
  readonly empty: Measured;
}

const IN_FLIGHT = 500;

interface Broker extends AsyncDisposable {
  readonly url: string;
  readonly seconds: number;
}

const startBroker = async (dataDir: string, reaper: Reaper): Promise<Broker> => {
  const begun = performance.now();
  const program = join(packageRoot(), 'dist', 'bin', 'tallystick.js');
  const args = [program, 'start', '--json', '--durability', 'os', '--nats-port', '0', '--data', dataDir];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  reaper.track(child);
  const exited = once(child, 'exit');
  const [line] = (await Promise.race([once(createInterface(child.stdout), 'line'), exited])) as [unknown];
  if (typeof line !== 'string') throw new Error(`tallystick start ended with ${line}`);
  const seconds = (performance.now() - begun) / 1_000;
  return {
    url: (JSON.parse(line) as Ready).nats,
    seconds,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGTERM');
      await exited;
    },
  };
};

const deposit = async (url: string, agents: number): Promise<void> => {
  const nc = await connect({ servers: url });
  const client = createClient(nc);
  let next = 0;
  const caller = async (): Promise<void> => {
    for (let i = next++; i < agents; i = next++) {
      const answered = await client.call(manifest, 'deposit', `agent-${i}`, { amount: 1 + (i % 100) })();
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
      await using broker = await startBroker(dir.path, reaper);
      seconds.push(broker.seconds);
      say(`${name}: ${broker.seconds.toFixed(2)} s`);
    }
    return measured(seconds);
  };
  try {
    const empty = await rounded('start without agents');
    {
      await using broker = await startBroker(dir.path, reaper);
      await deposit(broker.url, agents);
    }
    const broker = await rounded(`start with ${agents.toLocaleString('en')} agents`);
    return { agents, broker, empty };
  } finally {
    await reaper.close();
  }
};
