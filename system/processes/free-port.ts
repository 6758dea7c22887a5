import { type AddressInfo, createServer } from 'node:net';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { type PortHolder, portHolder, programOf } from './port-holder.js';

/** Listens for a moment and returns the port that the system assigned, or the system's error. */
const tryListen = (host: string, port: number): Promise<Either<NodeJS.ErrnoException, number>> =>
  new Promise((resolve) => {
    // Clients that dial a server that is about to come: kept, they would wait here for its first word.
    const server = createServer((socket) => socket.destroy());
    server.once('error', (error) => resolve(left(error)));
    server.listen({ host, port, exclusive: true }, () => {
      const { port: assigned } = server.address() as AddressInfo;
      server.close(() => resolve(right(assigned)));
    });
  });

const withPid = ({ pid, command }: PortHolder): string => `${programOf(command)} (pid ${pid})`;

const portInUse = async (
  host: string,
  port: number,
  text: (holder: PortHolder) => string,
): Promise<Fault> => {
  const holder = await portHolder(port);
  const who = holder === undefined ? 'a process that this user cannot see' : text(holder);
  return fault(
    'PORT_IN_USE',
    `port ${port} on ${host} is in use by ${who}: stop it, or choose another port with --nats-port, or 0 for a free one`,
  );
};

const cannotListen = (host: string, port: number, error: Error): Fault =>
  fault('SERVER_START_FAILED', `cannot listen on port ${port} of ${host}: ${error.message}`);

/** A port that is free on that host now. Another process may take it before it is used: the caller handles that. */
export const freePort =
  (host: string): TaskEither<Fault, number> =>
  async () => {
    const tried = await tryListen(host, 0);
    return isLeft(tried) ? left(cannotListen(host, 0, tried.left)) : tried;
  };

/**
 * Whether this process may listen there. `PORT_IN_USE` names the process that has the port, as `holderText` does, and
 * the option for another port. `SERVER_START_FAILED` reports an address of another machine, or a port that needs more
 * rights.
 */
export const checkPort =
  (host: string, port: number, holderText = withPid): TaskEither<Fault, void> =>
  async () => {
    const tried = await tryListen(host, port);
    if (!isLeft(tried)) return right(undefined);
    const inUse = tried.left.code === 'EADDRINUSE';
    return left(inUse ? await portInUse(host, port, holderText) : cannotListen(host, port, tried.left));
  };
