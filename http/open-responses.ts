import type { Server, ServerResponse } from 'node:http';

/**
 * Waits until no response of a server is under way. The server itself waits for the connections of its listener only,
 * and not for those that were handed to it.
 */
export const untilResponded = (server: Server): (() => Promise<void>) => {
  const open = new Set<ServerResponse>();
  let settle: (() => void) | undefined;
  server.on('request', (_request, response) => {
    open.add(response);
    response.once('close', () => {
      open.delete(response);
      if (open.size === 0) settle?.();
    });
  });
  return () =>
    open.size === 0
      ? Promise.resolve()
      : new Promise((resolve) => {
          settle = resolve;
        });
};
