import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { isLeft } from 'fp-ts/lib/Either.js';
import { FaultError } from '../../schemas/errors.js';
import { pause } from '../../system/async/pause.js';
import { freePort } from '../../system/processes/free-port.js';
import type { Reaper } from '../../system/processes/reaper.js';
import { makeBenchDir } from '../bench/bench-dir.js';
import type { RestatePrograms } from '../peers/restate.js';
import { BUSY, type Callee } from './callees.js';

export const RESTATE = 'restate';

const HOST = '127.0.0.1';
const START_LIMIT_MS = 60_000;

const port = async (): Promise<number> => {
  const found = await freePort(HOST)();
  if (isLeft(found)) throw new FaultError(found.left);
  return found.right;
};

const pidOf = (what: string, { pid }: ChildProcess): number => {
  if (pid === undefined) throw new Error(`${what} did not start`);
  return pid;
};

/** Tries until it works or the time is over; the server takes seconds to be ready. */
const eventually = async (attempt: () => Promise<void>): Promise<void> => {
  const until = performance.now() + START_LIMIT_MS;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() > until) throw error;
      await pause(200);
    }
  }
};

const post = async (url: string, body: unknown): Promise<void> => {
  const headers = { 'content-type': 'application/json' };
  const reply = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  if (!reply.ok) throw new Error(`${url}: ${reply.status} ${await reply.text()}`);
};

/** A Restate server with its defaults, and the service in another process. */
export const startRestateCallee = async (programs: RestatePrograms, reaper: Reaper): Promise<Callee> => {
  const dir = await makeBenchDir();
  const [ingress, admin, node, service] = [await port(), await port(), await port(), await port()];
  const main = fileURLToPath(new URL('./restate-service-main.js', import.meta.url));
  const responder = fork(main, [programs.folder, String(service)], {
    execPath: programs.node,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  reaper.track(responder);
  await Promise.race([once(responder, 'message'), once(responder, 'exit').then(() => undefined)]);
  const server = spawn(programs.server, ['--base-dir', dir.path], {
    env: {
      ...process.env,
      RESTATE_DISABLE_TELEMETRY: 'true',
      RESTATE_BIND_ADDRESS: `${HOST}:${node}`,
      RESTATE_INGRESS__BIND_ADDRESS: `${HOST}:${ingress}`,
      RESTATE_ADMIN__BIND_ADDRESS: `${HOST}:${admin}`,
    },
    stdio: 'ignore',
  });
  reaper.track(server);
  const url = `http://${HOST}:${ingress}/accounts`;
  await eventually(() => post(`http://${HOST}:${admin}/deployments`, { uri: `http://${HOST}:${service}` }));
  await eventually(() => post(`${url}/warm/deposit`, { amount: 1 }));
  const pids = { server: pidOf('restate-server', server), service: pidOf('the service', responder) };
  return {
    name: RESTATE,
    target: { via: 'http', url },
    pids,
    only: [1, BUSY],
    [Symbol.asyncDispose]: async () => {
      for (const child of [server, responder]) {
        const exited = once(child, 'exit');
        if (child.exitCode === null && child.kill('SIGKILL')) await exited;
      }
      await dir[Symbol.asyncDispose]();
    },
  };
};
