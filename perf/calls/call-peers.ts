import type { Reaper } from '../../system/processes/reaper.js';
import { peerLeftOut } from '../peers/left-out.js';
import { findRestate } from '../peers/restate.js';
import { findTemporal, SDK_VERSION } from '../peers/temporal.js';
import { findBullMq, startBullMqCallees } from './bullmq-callees.js';
import type { Callee } from './callees.js';
import { findDbos, startDbosCallee } from './dbos-callee.js';
import { findMoleculer, startMoleculerCallee } from './moleculer-callee.js';
import { RESTATE, startRestateCallee } from './restate-callee.js';
import { startTemporalCallee } from './temporal-callee.js';

type StartsCallees = (reaper: Reaper) => Promise<readonly Callee[]>;

/** Installs what a peer of durable calls needs, once; throws where this machine cannot have it. */
type FindsPeer = (say: (line: string) => void) => Promise<StartsCallees>;

const PEERS = {
  [RESTATE]: async (say) => {
    const programs = await findRestate(say);
    say(`Restate ${programs.version}, with its defaults`);
    return async (reaper) => [await startRestateCallee(programs, reaper)];
  },
  moleculer: async (say) => {
    const folder = await findMoleculer(say);
    return async (reaper) => [await startMoleculerCallee(folder, reaper, say)];
  },
  bullmq: async (say) => {
    const programs = await findBullMq(say);
    return (reaper) => startBullMqCallees(programs, reaper);
  },
  dbos: async (say) => {
    const programs = await findDbos(say);
    say(`DBOS ${programs.version} with ${programs.postgres.version}, with their defaults`);
    return async (reaper) => [await startDbosCallee(programs, reaper)];
  },
  temporal: async (say) => {
    const programs = await findTemporal(say);
    say(`${programs.version}, with the SDK ${SDK_VERSION}`);
    return async (reaper) => [await startTemporalCallee(programs, reaper)];
  },
} as const satisfies Readonly<Record<string, FindsPeer>>;

export type CallPeer = keyof typeof PEERS;

export const CALL_PEERS = Object.keys(PEERS) as readonly CallPeer[];

/** Throws where this machine cannot have the peer. What it returns throws if the peer is here and does not start. */
export const findCallPeer = (name: CallPeer, say: (line: string) => void): Promise<StartsCallees> =>
  PEERS[name](say);

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
      const start = await findCallPeer(name, say);
      started.push(...(await start(reaper)));
    } catch (error) {
      say(peerLeftOut(name, error));
    }
  }
  return started;
};
