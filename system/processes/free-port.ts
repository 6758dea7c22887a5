import { type AddressInfo, createServer } from 'node:net';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { type PortHolder, portHolder } from './port-holder.js';

/** Listens for a moment and returns the port that the system assigned, or the system's error. */
const tryListen = (host: string, port: number): Promise<Either<NodeJS.ErrnoException, number>> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error) => resolve(left(error)));
    server.listen({ host, port, exclusive: true }, () => {
      const { port: assigned } = server.address() as AddressInfo;
      server.close(() => resolve(right(assigned)));
    });
  });

/** The name of a program: enough for a sentence. The whole command line would hide the advice after it. */
const programOf = ({ command }: PortHolder): string => command.split(' ')[0]?.split('/').pop() ?? command;

const portInUse = async (host: string, port: number, flag: string): Promise<Fault> => {
  const holder = await portHolder(port);
  const who =
    holder === undefined ? 'a process that this user cannot see' : `${programOf(holder)} (pid ${holder.pid})`;
  return fault(
    'PORT_IN_USE',
    `port ${port} on ${host} is in use by ${who}: stop it, or choose another with ${flag}, or 0 for a free one`,
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
 * Whether this process may listen there. `PORT_IN_USE` names the process that has the port and the option for another
 * port. `SERVER_START_FAILED` reports an address of another machine, or a port that needs more rights.
 */
export const checkPort =
  (host: string, port: number, flag = '--nats-port'): TaskEither<Fault, void> =>
  async () => {
    const tried = await tryListen(host, port);
    if (!isLeft(tried)) return right(undefined);
    const inUse = tried.left.code === 'EADDRINUSE';
    return left(inUse ? await portInUse(host, port, flag) : cannotListen(host, port, tried.left));
  };
