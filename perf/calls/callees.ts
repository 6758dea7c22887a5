import { join } from 'node:path';
import { PRINCIPALS_FILE, writePrincipals } from '../../broker/access/principal-file.js';
import type { Principal } from '../../schemas/access-requests.js';
import type { Durability } from '../../schemas/log.js';
import { orThrow } from '../../system/lifetime.js';
import { startProgram } from '../../system/processes/program.js';
import type { Reaper } from '../../system/processes/reaper.js';
import { startBenchBroker } from '../bench/bench-broker.js';
import { brokerProcesses } from '../bench/broker-processes.js';
import { makeBenchDir } from '../bench/bench-dir.js';
import { startBenchServer } from '../bench/bench-server.js';
import type { PidsByRole } from '../bench/processor-time.js';
import type { ResponderQuestions } from './responder-main.js';
import type { CallTarget } from './targets.js';

/** The receiver of calls: a broker, or a program that replies to plain requests. */
export interface Callee extends AsyncDisposable {
  readonly name: string;
  readonly target: CallTarget;
  /** The processes that a call goes through, without the caller. */
  readonly pids: PidsByRole<string>;
  /** The numbers of calls in flight at which it is called; without it all. */
  readonly only?: readonly number[];
}

export interface BrokerCallee extends Callee {
  readonly url: string;
  readonly dataDir: string;
}

/** At this many calls in flight, rates and processor time are compared. */
export const BUSY = 256;

/** The name of the callee that is no broker. */
export const REQUEST = 'request';

const hostOf = (hosts: Readonly<Record<string, number>>, module: string): number => {
  const host = hosts[module];
  if (host === undefined) throw new Error(`the broker has no module ${module}`);
  return host;
};

const disposeAll = async (all: readonly AsyncDisposable[]): Promise<void> => {
  for (const each of all.toReversed()) await each[Symbol.asyncDispose]();
};

export interface BrokerCalleeOptions {
  /** What it is called in the report, instead of its durability. */
  readonly name?: string;
  readonly durability: Durability;
  /** More arguments of `tallystick start`. */
  readonly args?: readonly string[];
  /** More of its environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** A principal that it knows from its start, and the seed with which the caller is that principal. */
  readonly principal?: Principal;
  readonly seed?: string;
}

/** A broker with the shipped modules, as `tallystick start` runs it. */
export const startBrokerCallee = async (
  { durability, name = durability, args = [], env = {}, principal, seed }: BrokerCalleeOptions,
  reaper: Reaper,
): Promise<BrokerCallee> => {
  const dir = await makeBenchDir();
  if (principal !== undefined) orThrow(writePrincipals(join(dir.path, PRINCIPALS_FILE), [principal]));
  const broker = await startBenchBroker(dir.path, reaper, durability, args, env);
  const { hosts, ...own } = await brokerProcesses(dir.path);
  return {
    name,
    target: { via: 'nats', url: broker.url, ...(seed === undefined ? {} : { seed }) },
    url: broker.url,
    pids: { server: own.server, broker: own.broker, host: hostOf(hosts, 'accounts') },
    dataDir: dir.path,
    [Symbol.asyncDispose]: () => disposeAll([dir, broker]),
  };
};

/** A server that stores nothing, and a responder in another process. */
export const startRequestCallee = async (reaper: Reaper, say: (line: string) => void): Promise<Callee> => {
  const server = await startBenchServer('os', say);
  const main = new URL('./responder-main.js', import.meta.url);
  const responder = startProgram<ResponderQuestions>(main, { url: server.url }, reaper);
  const pid = server.pid();
  if (pid === undefined) throw new Error('the server has ended');
  return {
    name: REQUEST,
    target: { via: 'nats', url: server.url },
    pids: { server: pid, responder: await responder.ask('pid', null) },
    [Symbol.asyncDispose]: () => disposeAll([server, responder]),
  };
};
