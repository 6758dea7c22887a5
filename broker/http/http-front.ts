import { type ChildProcess, fork } from 'node:child_process';
import type { Server, Socket } from 'node:net';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
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
import { hostPort, type Listen } from '../../schemas/listen.js';
import { checkPort } from '../../system/processes/free-port.js';
import type { Reaper } from '../../system/processes/reaper.js';
import { readTlsFiles } from '../../system/tls/tls-files.js';
import { HttpPlace } from './http-place.js';

/** Without TLS, HTTP is for programs and pages of this machine. */
const HOST = '127.0.0.1';
/** How long requests that are under way may take when the broker stops. */
const STOP_MS = 2_000;

export interface HttpFrontOptions {
  /** The program that serves HTTP. */
  readonly entry: string;
  /** Undefined: the usual port, or a free one if that is taken. */
  readonly port: number | undefined;
  /** Where other machines ask, with TLS; undefined: nowhere. */
  readonly listen: Listen | undefined;
  readonly natsUrl: string;
  readonly reaper: Reaper;
  /** What the process may read of a module for the holder of a key; undefined: it must ask for each state. */
  readonly rights: (publicKey: string | null, module: string) => ReadRights | undefined;
  readonly say: (text: string) => void;
}

/** Where HTTP is served, with the ports that it has. */
export interface HttpFront {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  /** `https://HOST:PORT`, for other machines; null: nowhere. */
  readonly secureUrl: string | null;
  /** Rights or modules have changed: the process forgets what it was told. */
  readonly forget: () => void;
  readonly close: () => Promise<void>;
}

/** The advice for a port names the option of HTTP. */
const naming = (option: string, problem: Fault): Fault => ({
  ...problem,
  message: problem.message.replace('with --nats-port', `with ${option}`),
});

const portFor = async ({ port, say }: HttpFrontOptions): Promise<Either<Fault, number>> => {
  const wanted = port ?? DEFAULT_HTTP_PORT;
  const free = await checkPort(HOST, wanted)();
  if (!isLeft(free)) return right(wanted);
  if (port !== undefined) return left(naming('--http-port', free.left));
  say(`port ${wanted} is in use, so HTTP gets a free one; \`--http-port\` names another`);
  return right(0);
};

/** Whether an address with TLS can be served: its files and its port. */
const checkListen = async (listen: Listen): Promise<Either<Fault, unknown>> => {
  const files = readTlsFiles(listen);
  if (isLeft(files)) return files;
  const free = await checkPort(listen.host, listen.port)();
  return isLeft(free) ? left(naming('--http-listen', free.left)) : free;
};

/**
 * Listens for the process that serves HTTP, and starts that with the first connection: a broker that nobody asks over
 * HTTP has no such process. The process gets the listening sockets, so its connections cost the broker nothing. If it
 * ends, the next connection starts another one.
 */
class LazyHttp implements HttpFront {
  readonly #plain: HttpPlace;
  readonly #secure: HttpPlace | undefined;
  #child: ChildProcess | undefined;
  #isClosed = false;

  constructor(private readonly options: HttpFrontOptions) {
    const { listen, say } = options;
    const hand = (place: HttpPlace, socket: Socket): void => this.#hand(place, socket);
    this.#plain = new HttpPlace({ host: HOST, isSecure: false, hand, say });
    this.#secure =
      listen === undefined ? undefined : new HttpPlace({ host: listen.host, isSecure: true, hand, say });
  }

  get url(): string {
    return this.#plain.url;
  }

  get secureUrl(): string | null {
    return this.#secure?.url ?? null;
  }

  /** Listens without TLS on a port, and with TLS on its own. SERVER_START_FAILED: one of them is taken. */
  async listen(port: number): Promise<Either<Fault, void>> {
    const { listen } = this.options;
    for (const [place, host, at] of [
      [this.#plain, HOST, port],
      [this.#secure, listen?.host ?? HOST, listen?.port ?? 0],
    ] as const)
      try {
        await place?.listen(at);
      } catch (error) {
        for (const each of this.#places()) each.close();
        const where = hostPort(host, at);
        return left(fault('SERVER_START_FAILED', `cannot listen on ${where}: ${(error as Error).message}`));
      }
    return right(undefined);
  }

  forget(): void {
    this.#tell({ kind: 'forget' });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const place of this.#places()) place.close();
    const child = this.#child;
    if (child === undefined || child.exitCode !== null) return;
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    // Without its parent, it finishes what it serves and ends.
    if (child.connected) child.disconnect();
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await ended;
    clearTimeout(late);
  }

  #places(): readonly HttpPlace[] {
    return this.#secure === undefined ? [this.#plain] : [this.#plain, this.#secure];
  }

  #tell(news: RightsNews): void {
    // It may end at any time; then it has forgotten all.
    if (this.#child?.connected === true) this.#child.send(news, () => undefined);
  }

  #hand({ isSecure }: HttpPlace, socket: Socket): void {
    socket.on('error', () => undefined);
    const child = this.#child ?? this.#begin();
    child.send({ kind: 'connection', isSecure } satisfies HttpHandle, socket, (error) => {
      if (error !== null) socket.destroy();
    });
  }

  #begin(): ChildProcess {
    const { entry, natsUrl, listen, reaper, say } = this.options;
    const assignment: HttpAssignment = { natsUrl, ...(listen === undefined ? {} : { tls: filesOf(listen) }) };
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
    for (const place of this.#places())
      place.give((server: Server, sent) =>
        child.send({ kind: 'listener', isSecure: place.isSecure } satisfies HttpHandle, server, sent),
      );
    return child;
  }

  #ended(child: ChildProcess, how: string): void {
    if (this.#child !== child) return;
    this.#child = undefined;
    if (this.#isClosed) return;
    this.options.say(
      `the process that serves HTTP has ended (${how}); the next connection starts another one`,
    );
    for (const place of this.#places()) place.listenAgain();
  }
}

const filesOf = ({ cert, key, ca }: Listen): NonNullable<HttpAssignment['tls']> => ({
  cert,
  key,
  ...(ca === undefined ? {} : { ca }),
});

/**
 * Serves HTTP on this machine, and with TLS where other machines ask. PORT_IN_USE: another process has a port that you
 * named. TLS_FAILED: a file of TLS cannot be used.
 */
export const openHttpFront =
  (options: HttpFrontOptions): TaskEither<Fault, HttpFront> =>
  async () => {
    const { listen } = options;
    const usable = listen === undefined ? right(undefined) : await checkListen(listen);
    if (isLeft(usable)) return usable;
    const port = await portFor(options);
    if (isLeft(port)) return port;
    const front = new LazyHttp(options);
    const listens = await front.listen(port.right);
    return isLeft(listens) ? listens : right(front);
  };
