import { type ChildProcess, fork } from 'node:child_process';
import { createServer, type Server, type Socket } from 'node:net';
import { isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { DEFAULT_HTTP_PORT } from '../../schemas/config.js';
import { type Fault, fault } from '../../schemas/errors.js';
import type {
  HttpAssignment,
  HttpHandle,
  ReadRights,
  RightsNews,
  RightsQuestion,
} from '../../schemas/http-process.js';
import { checkPort } from '../../system/processes/free-port.js';
import type { Reaper } from '../../system/processes/reaper.js';

/** HTTP is for programs and pages of this machine. */
const HOST = '127.0.0.1';
/** How long requests that are under way may take when the broker stops. */
const STOP_MS = 2_000;
const LISTEN_AGAIN_MS = 250;

export interface HttpFrontOptions {
  /** The program that serves HTTP. */
  readonly entry: string;
  /** Undefined: the usual port, or a free one if that is taken. */
  readonly port: number | undefined;
  readonly natsUrl: string;
  readonly reaper: Reaper;
  /** What the process may read of a module for the holder of a key; undefined: it must ask for each state. */
  readonly rights: (publicKey: string | null, module: string) => ReadRights | undefined;
  readonly say: (text: string) => void;
}

/** Where HTTP is served. */
export interface HttpFront {
  /** `http://127.0.0.1:PORT`, with the port that it has. */
  readonly url: string;
  /** Rights or modules have changed: the process forgets what it was told. */
  readonly forget: () => void;
  readonly close: () => Promise<void>;
}

/** The advice for a port names the option of HTTP. */
const forHttp = (problem: Fault): Fault => ({
  ...problem,
  message: problem.message.replace('with --nats-port', 'with --http-port'),
});

const portFor = async ({ port, say }: HttpFrontOptions): Promise<number | Fault> => {
  const wanted = port ?? DEFAULT_HTTP_PORT;
  const free = await checkPort(HOST, wanted)();
  if (!isLeft(free)) return wanted;
  if (port !== undefined) return forHttp(free.left);
  say(`port ${wanted} is in use, so HTTP gets a free one; \`--http-port\` names another`);
  return 0;
};

/**
 * Listens for the process that serves HTTP, and starts that with the first connection: a broker that nobody asks over
 * HTTP has no such process. The process gets the listening socket, so its connections cost the broker nothing. If it
 * ends, the next connection starts another one.
 */
class LazyHttp implements HttpFront {
  #port = 0;
  #server: Server | undefined;
  #child: ChildProcess | undefined;
  #isClosed = false;

  constructor(private readonly options: HttpFrontOptions) {}

  get url(): string {
    return `http://${HOST}:${this.#port}`;
  }

  /** Listens; rejects if the port is taken. */
  listen(port: number): Promise<void> {
    const server = createServer({ pauseOnConnect: true }, (socket) => this.#hand(server, socket));
    this.#server = server;
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, HOST, () => {
        this.#port = (server.address() as { readonly port: number }).port;
        server.off('error', reject);
        server.on('error', (error) => this.options.say(`HTTP: ${error.message}`));
        resolve();
      });
    });
  }

  forget(): void {
    this.#tell({ kind: 'forget' });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#server?.close();
    const child = this.#child;
    if (child === undefined || child.exitCode !== null) return;
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    // Without its parent, it finishes what it serves and ends.
    if (child.connected) child.disconnect();
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await ended;
    clearTimeout(late);
  }

  #tell(news: RightsNews): void {
    // It may end at any time; then it has forgotten all.
    if (this.#child?.connected === true) this.#child.send(news, () => undefined);
  }

  #hand(server: Server, socket: Socket): void {
    socket.on('error', () => undefined);
    const child = this.#child ?? this.#begin(server);
    child.send({ kind: 'connection' } satisfies HttpHandle, socket, (error) => {
      if (error !== null) socket.destroy();
    });
  }

  #begin(server: Server): ChildProcess {
    const { entry, natsUrl, reaper, say } = this.options;
    const assignment: HttpAssignment = { natsUrl };
    const child = fork(entry, [JSON.stringify(assignment)], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    reaper.track(child);
    this.#child = child;
    for (const output of [child.stdout, child.stderr])
      output?.setEncoding('utf8').on('data', (text: string) => say(text.trimEnd()));
    child.on('message', ({ id, publicKey, module }: RightsQuestion) =>
      this.#tell({ kind: 'rights', id, rights: this.options.rights(publicKey, module) ?? null }),
    );
    child.on('error', (error) => say(`HTTP: ${error.message}`));
    child.once('exit', (code, signal) => this.#ended(child, `${code ?? signal}`));
    // From here on, the process takes the connections.
    child.send({ kind: 'listener' } satisfies HttpHandle, server, () => {
      server.close();
      if (this.#server === server) this.#server = undefined;
    });
    return child;
  }

  #ended(child: ChildProcess, how: string): void {
    if (this.#child !== child) return;
    this.#child = undefined;
    if (this.#isClosed) return;
    this.options.say(
      `the process that serves HTTP has ended (${how}); the next connection starts another one`,
    );
    this.#listenAgain();
  }

  #listenAgain(): void {
    if (this.#isClosed) return;
    this.listen(this.#port).catch((error: Error) => {
      this.options.say(`HTTP cannot listen on port ${this.#port}: ${error.message}; it tries again`);
      setTimeout(() => this.#listenAgain(), LISTEN_AGAIN_MS).unref();
    });
  }
}

/** Serves HTTP on this machine. PORT_IN_USE: another process has the port that you named. */
export const openHttpFront =
  (options: HttpFrontOptions): TaskEither<Fault, HttpFront> =>
  async () => {
    const port = await portFor(options);
    if (typeof port !== 'number') return left(port);
    const front = new LazyHttp(options);
    try {
      await front.listen(port);
      return right(front);
    } catch (error) {
      return left(
        fault('SERVER_START_FAILED', `cannot listen on ${HOST}:${port}: ${(error as Error).message}`),
      );
    }
  };
