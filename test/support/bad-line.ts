import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { AT_ONCE, type Pace, pacedPipe } from './paced-pipe.js';

export type Direction = 'to-server' | 'to-client' | 'both';

/** A line between a client and a server that is slow, or goes dead without a word. */
export interface BadLine extends AsyncDisposable {
  readonly port: number;
  /** `nats://` and where it listens. */
  readonly url: string;
  /** Connections that were made through it so far. */
  readonly connections: number;
  /** How fast it is in both directions, from the next bytes on. */
  readonly pace: (pace: Partial<Pace>) => void;
  /** Resets every connection at once, with whatever was on its way. */
  readonly cut: () => void;
  /**
   * Every connection goes dead: nothing comes through in that direction any more, for good, and no end is told it. What
   * is sent fills the sender's own system, as without acknowledgements by TCP. New connections go dead at once.
   */
  readonly swallow: (direction: Direction) => void;
  /** New connections live. Those that are dead stay so: who forgot them does not know them again. */
  readonly mend: () => void;
}

/** Passes every connection on to a port of this machine. */
export const startBadLine = async (targetPort: number): Promise<BadLine> => {
  const sockets = new Set<Socket>();
  const dead = new WeakSet<Socket>();
  const pairs = new Map<Socket, Socket>();
  let pace = AT_ONCE;
  let swallowed: Direction | undefined;
  let connections = 0;

  // Paused, not drained: bytes that nobody takes stay with the sender's system.
  const kill = (client: Socket, upstream: Socket, direction: Direction): void => {
    dead.add(client).add(upstream);
    for (const [from, to] of [
      [client, 'to-server'],
      [upstream, 'to-client'],
    ] as const) {
      if (direction !== 'both' && direction !== to) continue;
      from.removeAllListeners('data').removeAllListeners('end').pause();
    }
  };
  const track = (socket: Socket, other: Socket): void => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      sockets.delete(socket);
      pairs.delete(socket);
      // Over a dead line the other end does not hear of it.
      if (!dead.has(socket)) other.destroy();
    });
  };
  const proxy = createServer((client) => {
    connections += 1;
    const upstream = connect(targetPort, '127.0.0.1');
    pairs.set(client, upstream);
    track(client, upstream);
    track(upstream, client);
    const now = (): Pace => pace;
    pacedPipe(client, upstream, now);
    pacedPipe(upstream, client, now);
    if (swallowed !== undefined) kill(client, upstream, swallowed);
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const { port } = proxy.address() as { port: number };
  const cut = (): void => {
    for (const socket of [...sockets]) socket.resetAndDestroy();
  };
  return {
    port,
    url: `nats://127.0.0.1:${port}`,
    get connections() {
      return connections;
    },
    pace: (changed) => {
      pace = { ...AT_ONCE, ...changed };
    },
    cut,
    swallow: (direction) => {
      swallowed = direction;
      for (const [client, upstream] of pairs) kill(client, upstream, direction);
    },
    mend: () => {
      swallowed = undefined;
    },
    [Symbol.asyncDispose]: async () => {
      cut();
      await new Promise((closed) => proxy.close(closed));
    },
  };
};
