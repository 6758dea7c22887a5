import { hostname } from 'node:os';
import { isLeft } from 'fp-ts/lib/Either.js';
import type { NatsConnection } from 'nats';
import { ask } from '../../link/request-broker.js';
import { isLoopback } from '../../schemas/guest.js';
import { hostPort } from '../../schemas/listen.js';
import { type BrokerStatus, OPS } from '../../schemas/operate.js';

/** Addresses that mean each address of the machine. */
const ANY: ReadonlySet<string> = new Set(['0.0.0.0', '[::]']);

/** The address of `--listen` as a client of another machine writes it. */
export const listenedAddress = (listen: string, machine: string): string => {
  const { protocol, hostname: host, port } = new URL(listen);
  return ANY.has(host) ? `${protocol}//${hostPort(machine, Number(port))}` : listen;
};

/**
 * Where the holder of a token connects. The address of `--listen` if the broker has one: the address on loopback, which
 * this command used, leads nowhere on another machine.
 */
export const addressForOthers = async (nc: NatsConnection, url: string): Promise<string> => {
  if (!isLoopback(new URL(url).hostname)) return url;
  const status = await ask<BrokerStatus>(nc, OPS.status)();
  const listen = isLeft(status) ? undefined : status.right.listen;
  return typeof listen === 'string' ? listenedAddress(listen, hostname()) : url;
};
