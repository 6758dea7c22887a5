import { connect, createServer, type Server, type Socket } from 'node:net';

/**
 * Stands between a client and a server, and has what the server says of one text say another of the same length: as if that
 * had been stored.
 */
export class ChangingProxy implements AsyncDisposable {
  changed = 0;
  readonly #sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async start(port: number, from: string, to: string): Promise<ChangingProxy> {
    const server = createServer();
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const proxy = new ChangingProxy(server, `127.0.0.1:${address.port}`);
    server.on('connection', (client) => proxy.#join(client, port, Buffer.from(from), Buffer.from(to)));
    return proxy;
  }

  #join(client: Socket, port: number, from: Buffer, to: Buffer): void {
    const upstream = connect(port, '127.0.0.1');
    for (const socket of [client, upstream]) {
      this.#sockets.add(socket);
      socket
        .on('error', () => undefined)
        .on('close', () => {
          client.destroy();
          upstream.destroy();
        });
    }
    client.pipe(upstream);
    upstream.on('data', (chunk) => {
      const at = chunk.indexOf(from);
      if (at >= 0) {
        to.copy(chunk, at);
        this.changed += 1;
      }
      client.write(chunk);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
