import { connect } from 'node:net';
import { pause } from '../../system/async/pause.js';

/** Between two attempts: a server is ready in about 50 ms, and a caller waits for it. */
const RETRY_MS = 20;

/** How long one connection may be silent before a new one is tried. */
const SILENCE_MS = 2000;

/** A listening address is not always one to connect to. */
const connectable = (host: string): string => {
  if (host === '0.0.0.0') return '127.0.0.1';
  return host === '::' ? '::1' : host;
};

/** Whether what listens there greets as a NATS server does, with `INFO {…}` and a line end. */
const greets = (host: string, port: number, signal: AbortSignal): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host: connectable(host), port });
    let greeting = '';
    const done = (yes: boolean): void => {
      signal.removeEventListener('abort', onAbort);
      socket.destroy();
      resolve(yes);
    };
    const onAbort = (): void => done(false);
    signal.addEventListener('abort', onAbort);
    socket.setTimeout(SILENCE_MS, () => done(false));
    socket.on('error', () => done(false));
    socket.on('close', () => done(false));
    socket.on('data', (data) => {
      greeting += data.toString('latin1');
      if (greeting.includes('\n')) done(/^INFO \{.*\}\s*\r?\n/.test(greeting));
    });
  });

/** Waits until a NATS server greets at that address; false when `signal` ends the waiting. */
export const awaitInfo = async (host: string, port: number, signal: AbortSignal): Promise<boolean> => {
  while (!signal.aborted) {
    if (await greets(host, port, signal)) return true;
    await pause(RETRY_MS, { signal });
  }
  return false;
};
