import { connect, createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';

/** Stands between a client and a server, so that a test can do to the connection what networks do. */
export interface TcpProxy extends AsyncDisposable {
  readonly port: number;
  /** Ends every connection at once, with whatever was on its way in either direction. */
  readonly cut: () => void;
  /** How often `cutAfterBytes` has cut a connection. */
  readonly cuts: () => number;
}

export interface TcpProxyOptions {
  /** What the server sends arrives in pieces of these sizes, one after the other and from the beginning again; bytes. */
  readonly pieces?: readonly number[];
  /** Cuts a connection, in the middle of whatever travels, when so many bytes have come from the server. */
  readonly cutAfterBytes?: number;
}

/** Passes every connection on to a port of this machine. */
export const startTcpProxy = async (
  targetPort: number,
  { pieces, cutAfterBytes = Number.POSITIVE_INFINITY }: TcpProxyOptions = {},
): Promise<TcpProxy> => {
  let cuts = 0;
  let next = 0;
  const pass = async (from: Socket, to: Socket, sizes: readonly number[]): Promise<void> => {
    let passed = 0;
    for await (const chunk of from as AsyncIterable<Buffer>) {
      for (let at = 0; at < chunk.length; ) {
        const piece = chunk.subarray(at, at + (sizes[next++ % sizes.length] ?? 1));
        at += piece.length;
        passed += piece.length;
        // Each write is a packet of its own only when the one before it has left.
        await new Promise((sent) => to.write(piece, sent));
        if (passed < cutAfterBytes) continue;
        cuts += 1;
        from.destroy();
        to.destroy();
        return;
      }
    }
    to.end();
  };
  const sockets = new Set<Socket>();
  const track = (socket: Socket): void => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('close', () => sockets.delete(socket));
  };
  const proxy: Server = createServer((client) => {
    const upstream = connect(targetPort, '127.0.0.1');
    for (const socket of [client, upstream]) track(socket);
    client.on('error', () => upstream.destroy()).on('close', () => upstream.destroy());
    upstream.on('error', () => client.destroy()).on('close', () => client.destroy());
    client.pipe(upstream);
    if (pieces === undefined) upstream.pipe(client);
    else pass(upstream, client, pieces).catch(() => client.destroy());
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const cut = (): void => {
    for (const socket of [...sockets]) socket.resetAndDestroy();
  };
  return {
    port: (proxy.address() as { port: number }).port,
    cut,
    cuts: () => cuts,
    [Symbol.asyncDispose]: async () => {
      cut();
      await new Promise((closed) => proxy.close(closed));
    },
  };
};
