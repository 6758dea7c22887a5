import { createRequire } from 'node:module';

/** By `require`, for what `import` gives of a built-in module cannot be changed. */
const requireBuiltin = createRequire(import.meta.url);

const refusing = (what: string) => (): never => {
  const error = new Error(`${what}: code that handles recorded commands again may not reach outside`);
  throw Object.assign(error, { code: 'ERR_OUTSIDE_REFUSED' });
};

/**
 * Takes the network from the code that runs in this process, so that a handler with its own ways to the outside does
 * not do again what it did then. Not against code that means harm: that has no business here.
 */
export const refuseOutside = (): void => {
  const net = requireBuiltin('node:net') as typeof import('node:net');
  const dgram = requireBuiltin('node:dgram') as typeof import('node:dgram');
  net.Socket.prototype.connect = refusing('a connection');
  net.Server.prototype.listen = refusing('a server');
  dgram.Socket.prototype.send = refusing('a datagram');
  dgram.Socket.prototype.bind = refusing('a datagram socket');
};
