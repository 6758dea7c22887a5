import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export type RespReply = string | number | null;

const LINE_END = '\r\n';
const CLOSED = 'the connection to Redis is closed';

/** A command as the server wants it: an array of bulk strings. */
export const encodeCommand = (args: readonly string[]): string =>
  [`*${args.length}`, ...args.flatMap((arg) => [`$${Buffer.byteLength(arg)}`, arg]), ''].join(LINE_END);

/**
 * The reply that begins at `from`, and where the next one does; undefined while it is incomplete. An error of the server
 * is a value, so that one refused command does not lose the replies behind it. No arrays: no command here is answered by one.
 */
export const decodeReply = (
  bytes: Buffer,
  from: number,
): { readonly reply: RespReply | Error; readonly next: number } | undefined => {
  const end = bytes.indexOf(LINE_END, from);
  if (end < 0) return undefined;
  const text = bytes.toString('utf8', from + 1, end);
  const next = end + LINE_END.length;
  const kind = bytes.toString('utf8', from, from + 1);
  if (kind === '+') return { reply: text, next };
  if (kind === '-') return { reply: new Error(text), next };
  if (kind === ':') return { reply: Number(text), next };
  if (kind !== '$') throw new Error(`a reply of Redis that cannot be read: ${kind}${text}`);
  const length = Number(text);
  if (length < 0) return { reply: null, next };
  const after = next + length + LINE_END.length;
  if (bytes.length < after) return undefined;
  return { reply: bytes.toString('utf8', next, next + length), next: after };
};

interface Waiting {
  readonly resolve: (reply: RespReply) => void;
  readonly reject: (error: Error) => void;
}

/** One connection to a Redis server: replies come in the order of the commands. */
export class RespConnection {
  readonly #socket: Socket;
  readonly #waiting: Waiting[] = [];
  #rest: Buffer = Buffer.alloc(0);

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => {
      try {
        this.#read(chunk);
      } catch (error) {
        socket.destroy(error as Error);
      }
    });
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => this.#fail(new Error(CLOSED)));
  }

  /** Rejects where nothing listens. */
  static async open(port: number, host = '127.0.0.1'): Promise<RespConnection> {
    const socket = connect({ port, host });
    await once(socket, 'connect');
    return new RespConnection(socket);
  }

  send(...args: readonly string[]): Promise<RespReply> {
    return new Promise((resolve, reject) => {
      if (this.#socket.destroyed) return reject(new Error(CLOSED));
      this.#waiting.push({ resolve, reject });
      this.#socket.write(encodeCommand(args));
    });
  }

  /** Many commands by one write. */
  async pipeline(commands: readonly (readonly string[])[]): Promise<void> {
    this.#socket.cork();
    const replies = commands.map((args) => this.send(...args));
    this.#socket.uncork();
    await Promise.all(replies);
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    for (let found = decodeReply(bytes, at); found !== undefined; found = decodeReply(bytes, at)) {
      const waiting = this.#waiting.shift();
      if (found.reply instanceof Error) waiting?.reject(found.reply);
      else waiting?.resolve(found.reply);
      at = found.next;
    }
    this.#rest = bytes.subarray(at);
  }

  #fail(error: Error): void {
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }
}
