/** A process that floods the broker, or only computes. It has a lower priority than what it floods. */
import { connect as dial, type Socket } from 'node:net';
import { setPriority } from 'node:os';
import { setImmediate as turn } from 'node:timers/promises';
import { connect, type NatsConnection } from 'nats';
import { authenticatorOf } from '../../link/nkey.js';
import { answerQuestions, settingOf } from '../../system/processes/program.js';
import { type FairFlood, type FairFloodName, FAIR_FLOODS, HOG } from './flood-kinds.js';

export interface FloodEnd {
  /** Requests that had a reply, or messages that were sent without a wait for one. */
  readonly sent: number;
  /** Requests without a reply. */
  readonly failed: number;
}

export type FairFlooderQuestions = {
  readonly pid: { readonly ask: null; readonly answer: number };
  /** `seed`: the credential; null for a guest. */
  readonly start: {
    readonly ask: { readonly name: FairFloodName | typeof HOG; readonly seed: string | null };
    readonly answer: null;
  };
  /** Sends no more, closes the connections, and waits for no reply. */
  readonly stop: { readonly ask: null; readonly answer: FloodEnd };
};

const LOW_PRIORITY = 10;
/** Sent before the server is asked whether it has taken it. */
const UNASKED = 500;
const UNASKED_BYTES = 2 * 1024 * 1024;
const COMPUTE_MS = 5;

setPriority(LOW_PRIORITY);
const { url } = settingOf<{ readonly url: string }>();
let [number, isOn, sent, failed] = [0, false, 0, 0];
let connections: readonly NatsConnection[] = [];
let sockets: readonly Socket[] = [];

const request = async (nc: NatsConnection, { send }: FairFlood): Promise<void> => {
  while (isOn) {
    try {
      await send(nc, ++number);
      sent += 1;
    } catch {
      failed += 1;
      // A connection that is closed fails at once.
      await turn();
    }
  }
};

const publish = async (nc: NatsConnection, { send }: FairFlood): Promise<void> => {
  while (isOn && !nc.isClosed()) {
    const from = nc.stats().outBytes;
    for (let i = 0; i < UNASKED && nc.stats().outBytes - from < UNASKED_BYTES; i++) {
      void send(nc, ++number);
      sent += 1;
    }
    await nc.flush().catch(() => undefined);
  }
};

const compute = async (): Promise<void> => {
  while (isOn) {
    const until = performance.now() + COMPUTE_MS;
    while (performance.now() < until) number += 1;
    await turn();
  }
};

/** Hears all, and reads nothing: the server keeps it, as long as it does. */
const openDeaf = (): Socket => {
  const { port, hostname } = new URL(url);
  const socket = dial(Number(port), hostname);
  socket.on('error', () => undefined);
  socket.write('CONNECT {"verbose":false,"headers":true}\r\nSUB live.> 1\r\n');
  socket.pause();
  return socket;
};

const start = async (name: FairFloodName | typeof HOG, seed: string | null): Promise<void> => {
  [isOn, sent, failed] = [true, 0, 0];
  if (name === HOG) return void compute();
  const kind: FairFlood = FAIR_FLOODS[name];
  const who = seed === null ? {} : { authenticator: authenticatorOf(seed) };
  connections = await Promise.all(
    Array.from({ length: kind.connections }, () => connect({ servers: url, reconnect: false, ...who })),
  );
  sockets = Array.from({ length: kind.deaf ?? 0 }, openDeaf);
  for (const nc of connections) {
    if (kind.inFlight === undefined) void publish(nc, kind);
    else for (let i = 0; i < kind.inFlight; i++) void request(nc, kind);
  }
};

answerQuestions<FairFlooderQuestions>({
  pid: () => process.pid,
  start: async ({ name, seed }) => {
    await start(name, seed);
    return null;
  },
  stop: async () => {
    isOn = false;
    for (const socket of sockets) socket.destroy();
    const closing = connections.map((nc) => nc.close().catch(() => undefined));
    [connections, sockets] = [[], []];
    await Promise.all(closing);
    return { sent, failed };
  },
});
