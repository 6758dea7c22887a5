import { Worker } from 'node:worker_threads';
import { isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { hostPort, type Listen } from '../../schemas/listen.js';
import { checkPort } from '../../system/processes/free-port.js';
import type { FromFront, FrontThreadData } from './front-messages.js';
import { readTlsFiles } from '../../system/tls/tls-files.js';

const PROGRAM = new URL('./front-worker.js', import.meta.url);
const RESTART_MS = 1_000;

export interface TlsFrontOptions {
  readonly listen: Listen;
  readonly serverPort: number;
  readonly say: (text: string) => void;
}

/** Where clients of other machines connect. */
export interface TlsFront {
  /** `tls://HOST:PORT`, with the port that it has. */
  readonly url: string;
  readonly close: () => Promise<void>;
}

/** The advice for a port names the option of the server. */
const forListen = (problem: Fault): Fault => ({
  ...problem,
  message: problem.message.replace('with --nats-port', 'with --listen'),
});

/**
 * Takes connections with TLS, and passes them on to the server on loopback. TLS_FAILED for the files, PORT_IN_USE or
 * SERVER_START_FAILED for the address. See docs/decisions/0074.
 */
export const openTlsFront =
  ({ listen, serverPort, say }: TlsFrontOptions): TaskEither<Fault, TlsFront> =>
  async () => {
    const files = readTlsFiles(listen);
    if (isLeft(files)) return files;
    const free = await checkPort(listen.host, listen.port)();
    if (isLeft(free)) return left(forListen(free.left));
    let worker: Worker;
    let isClosed = false;
    const start = (port: number): Promise<number> =>
      new Promise((resolve, reject) => {
        const workerData: FrontThreadData = { listen: { ...listen, port }, serverPort };
        worker = new Worker(PROGRAM, { workerData });
        let at = port;
        worker.on('message', (message: FromFront) => {
          if (message.kind === 'said') return say(message.text);
          if (message.kind === 'failed') return reject(new Error(message.text));
          at = message.port;
          resolve(at);
        });
        worker.on('error', (error) => {
          say(`the thread for connections with TLS failed: ${error.stack ?? error.message}`);
          reject(error);
        });
        worker.on('exit', () => {
          if (!isClosed) setTimeout(() => isClosed || start(at).catch(() => undefined), RESTART_MS);
        });
      });
    try {
      const port = await start(listen.port);
      return right({
        url: `tls://${hostPort(listen.host, port)}`,
        close: async () => {
          isClosed = true;
          await worker.terminate();
        },
      });
    } catch (error) {
      isClosed = true;
      const where = hostPort(listen.host, listen.port);
      return left(fault('SERVER_START_FAILED', `cannot listen on ${where}: ${(error as Error).message}`));
    }
  };
