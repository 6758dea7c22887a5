import type { Reaper } from '../../system/processes/reaper.js';
import { peerLeftOut } from '../peers/left-out.js';
import { findRestate } from '../peers/restate.js';
import { startBullMqCallees } from './bullmq-callees.js';
import type { Callee } from './callees.js';
import { startMoleculerCallee } from './moleculer-callee.js';
import { RESTATE, startRestateCallee } from './restate-callee.js';

/** A peer of durable calls. */
interface CallPeer {
  /** Installs what it needs, once, and starts it; none, with a report, where that cannot be had. */
  readonly start: (reaper: Reaper, say: (line: string) => void) => Promise<readonly Callee[]>;
}

const PEERS = {
  [RESTATE]: {
    start: async (reaper, say) => {
      const programs = await findRestate(say);
      if (programs === undefined) return [];
      say(`Restate ${programs.version}, with its defaults`);
      return [await startRestateCallee(programs, reaper)];
    },
  },
  moleculer: { start: async (reaper, say) => [await startMoleculerCallee(reaper, say)] },
  bullmq: { start: startBullMqCallees },
} as const satisfies Readonly<Record<string, CallPeer>>;

export const CALL_PEERS = Object.keys(PEERS) as readonly (keyof typeof PEERS)[];

/** The peers that are wanted and that this machine can have. */
export const startCallPeers = async (
  wanted: readonly string[],
  reaper: Reaper,
  say: (line: string) => void,
): Promise<readonly Callee[]> => {
  const started: Callee[] = [];
  for (const name of CALL_PEERS) {
    if (!wanted.includes(name)) {
      say(`without ${name} as a peer: it is not in --peers`);
      continue;
    }
    try {
      started.push(...(await PEERS[name].start(reaper, say)));
    } catch (error) {
      say(peerLeftOut(name, error));
    }
  }
  return started;
};
