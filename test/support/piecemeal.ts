import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface PiecemealOptions {
  readonly port: number;
  /** Sizes of the pieces, bytes, one after the other and from the beginning again. */
  readonly sizes: readonly number[];
  /** Cuts the connection, in the middle of whatever travels, each time so many bytes have come from the server. */
  readonly cutAfterBytes?: number;
}

export interface Piecemeal extends AsyncDisposable {
  readonly url: string;
  /** Connections cut so far. */
  readonly cuts: () => number;
}

/** A way to a server on which what the server sends arrives in pieces of given sizes. */
export const piecemeal = async ({ port, sizes, cutAfterBytes }: PiecemealOptions): Promise<Piecemeal> => {
  const sockets = new Set<Socket>();
  let cuts = 0;
  let next = 0;
  const pass = async (from: Socket, to: Socket): Promise<void> => {
    let passed = 0;
    for await (const chunk of from as AsyncIterable<Buffer>) {
      for (let at = 0; at < chunk.length; ) {
        const size = sizes[next++ % sizes.length] ?? 1;
        const piece = chunk.subarray(at, at + size);
        at += piece.length;
        passed += piece.length;
        // Each write is a packet of its own only when the one before it has left.
        await new Promise((sent) => to.write(piece, sent));
        if (cutAfterBytes === undefined || passed < cutAfterBytes) continue;
        cuts += 1;
        from.destroy();
        to.destroy();
        return;
      }
    }
    to.end();
  };
  const server = createServer({ noDelay: true }, (client) => {
    const upstream = connect({ port, host: '127.0.0.1', noDelay: true });
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => sockets.delete(socket));
    }
    client.on('close', () => upstream.destroy());
    client.pipe(upstream);
    pass(upstream, client).catch(() => client.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    cuts: () => cuts,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((closed) => server.close(closed));
    },
  };
};
