/** The process whose memory is measured: the states of a module's host, without a broker. Run with `--expose-gc`. */
import { join } from 'node:path';
import { Snapshots } from '../../store/snapshots/snapshots.js';
import accounts from '../../modules/accounts/index.js';
import { States } from '../../modules/host/states.js';
import type { AnyModule } from '../../modules/sdk/module-shape.js';
import { answerQuestions, settingOf } from '../../system/processes/program.js';
import { pause } from '../../system/async/pause.js';

export type IdleQuestions = {
  /** Gives so many agents a state, and writes it. */
  readonly fill: { readonly ask: number; readonly answer: null };
  /** Looks at so many of them, as handling a command does. */
  readonly touch: { readonly ask: number; readonly answer: { readonly held: number } };
  /** Bytes that the process has for JavaScript, after a collection. */
  readonly heap: { readonly ask: null; readonly answer: number };
};

const { dataDir } = settingOf<{ readonly dataDir: string }>();
const say = (line: string): void => {
  throw new Error(line);
};
const snapshots = await Snapshots.open(join(dataDir, 'snapshots', 'accounts'), 'none', say);
const states = new States(accounts as unknown as AnyModule, snapshots.generation, 'bench', say);
let seq = 0;

const agentOf = (number: number): string => `agent-${number}`;

answerQuestions<IdleQuestions>({
  fill: async (agents) => {
    for (let i = 0; i < agents; i++) {
      states.apply(agentOf(i), ++seq, Date.now(), [{ name: 'deposited', data: { amount: i + 1 } }]);
      if (states.waiting > 50_000) await states.saved();
    }
    await states.saved();
    return null;
  },
  touch: async (agents) => {
    for (let i = 0; i < agents; i++) {
      states.get(agentOf(i));
      // What LMDB and the client leave behind is freed between turns.
      if (i % 10_000 === 0) await new Promise((resume) => setImmediate(resume));
    }
    return { held: states.size };
  },
  heap: async () => {
    for (let i = 0; i < 4; i++) {
      await pause(20);
      globalThis.gc?.();
    }
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  },
});
