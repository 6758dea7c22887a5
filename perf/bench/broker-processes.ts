import { readFile } from 'node:fs/promises';
import { linkedRequest } from '../../link/linked-request.js';
import { type BrokerStatus, OPS } from '../../schemas/operate.js';
import { connectOperator } from '../burst/connect-operator.js';

/** The processes of a running broker, by their pids. */
export interface BrokerProcesses {
  readonly server: number;
  readonly broker: number;
  /** By module. */
  readonly hosts: Readonly<Record<string, number>>;
}

const ASK_MS = 10_000;

/** Asks the broker whose data directory this is. Throws if one of its processes does not run. */
export const brokerProcesses = async (dataDir: string): Promise<BrokerProcesses> => {
  const operator = await connectOperator(dataDir);
  try {
    const reply = await linkedRequest(operator, OPS.status, '{}', { timeout: ASK_MS });
    const { server, pid, modules } = reply.json<BrokerStatus>();
    const running = (what: string, found: number | null): number => {
      if (found === null) throw new Error(`${what} does not run`);
      return found;
    };
    return {
      server: running('the server', server.pid),
      broker: pid,
      hosts: Object.fromEntries(modules.map((module) => [module.name, running(module.name, module.pid)])),
    };
  } finally {
    await operator.close();
  }
};

/** The process that a broker has started with that program, by Linux. Throws if it does not run. */
export const processOf = async (broker: number, program: string): Promise<number> => {
  const children = await readFile(`/proc/${broker}/task/${broker}/children`, 'latin1');
  for (const pid of children.trim().split(' ').filter(Boolean).map(Number))
    if ((await readFile(`/proc/${pid}/cmdline`, 'latin1')).includes(program)) return pid;
  throw new Error(`the broker has no process of ${program}`);
};
