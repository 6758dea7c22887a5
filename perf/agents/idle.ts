import { startReaper } from '../../system/processes/reaper.js';
import { makeBenchDir } from '../bench/bench-dir.js';
import { startProgram } from '../../system/processes/program.js';
import type { IdleQuestions } from './idle-main.js';
import { formatNumber } from '../../text/numbers.js';

export interface Idle {
  readonly agents: number;
  /** That the host had in memory after it had looked at all of them. */
  readonly held: number;
  /** Of memory for each agent that it had. */
  readonly bytesPerHeld: number;
  /** Of memory for all of them together. */
  readonly bytes: number;
}

/**
 * Memory of a module's host for agents whose state it has looked at once, compared with a host that has looked at
 * none.
 */
export const measureIdle = async (agents: number, say: (line: string) => void): Promise<Idle> => {
  await using dir = await makeBenchDir();
  const reaper = startReaper();
  const start = () =>
    startProgram<IdleQuestions>(new URL('idle-main.js', import.meta.url), { dataDir: dir.path }, reaper, [
      '--expose-gc',
    ]);
  try {
    {
      await using filling = start();
      await filling.ask('fill', agents);
      // Its snapshots are in memory that survives it; this boot of the machine is still the one that wrote them.
    }
    say(`${formatNumber(agents)} agents have a state`);
    await using looking = start();
    await looking.ask('touch', 100);
    const before = await looking.ask('heap', null);
    const { held } = await looking.ask('touch', agents);
    const bytes = Math.max(0, (await looking.ask('heap', null)) - before);
    return { agents, held, bytes, bytesPerHeld: Math.round(bytes / held) };
  } finally {
    await reaper.close();
  }
};
