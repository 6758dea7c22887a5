import { connect, createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';

/** Stands between a client and a server, so that a test can do to the connection what networks do. */
export interface TcpProxy extends AsyncDisposable {
  readonly port: number;
  /** Ends every connection at once, with whatever was on its way in either direction. */
  readonly cut: () => void;
}

/** Passes every connection on to a port of this machine. */
export const startTcpProxy = async (targetPort: number): Promise<TcpProxy> => {
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
    upstream.pipe(client);
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const cut = (): void => {
    for (const socket of [...sockets]) socket.resetAndDestroy();
  };
  return {
    port: (proxy.address() as { port: number }).port,
    cut,
    [Symbol.asyncDispose]: async () => {
      cut();
      await new Promise((closed) => proxy.close(closed));
    },
  };
};
