import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Reaper } from '../../system/processes/reaper.js';
import { makeBenchDir } from '../bench/bench-dir.js';
import { eventually, killChild, LOOPBACK, loopbackPort, pidOf } from '../peers/loopback-server.js';
import type { RestatePrograms } from '../peers/restate.js';
import { BUSY, type Callee } from './callees.js';

export const RESTATE = 'restate';

const post = async (url: string, body: unknown): Promise<void> => {
  const headers = { 'content-type': 'application/json' };
  const reply = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  if (!reply.ok) throw new Error(`${url}: ${reply.status} ${await reply.text()}`);
};

/** A Restate server with its defaults, and the service in another process. */
export const startRestateCallee = async (programs: RestatePrograms, reaper: Reaper): Promise<Callee> => {
  const dir = await makeBenchDir();
  const [ingress, admin, node, service] = [
    await loopbackPort(),
    await loopbackPort(),
    await loopbackPort(),
    await loopbackPort(),
  ];
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
      RESTATE_BIND_ADDRESS: `${LOOPBACK}:${node}`,
      RESTATE_INGRESS__BIND_ADDRESS: `${LOOPBACK}:${ingress}`,
      RESTATE_ADMIN__BIND_ADDRESS: `${LOOPBACK}:${admin}`,
    },
    stdio: 'ignore',
  });
  reaper.track(server);
  const url = `http://${LOOPBACK}:${ingress}/accounts`;
  await eventually(() =>
    post(`http://${LOOPBACK}:${admin}/deployments`, { uri: `http://${LOOPBACK}:${service}` }),
  );
  await eventually(() => post(`${url}/warm/deposit`, { amount: 1 }));
  const pids = { server: pidOf('restate-server', server), service: pidOf('the service', responder) };
  return {
    name: RESTATE,
    target: { via: 'http', url },
    pids,
    only: [1, BUSY],
    [Symbol.asyncDispose]: async () => {
      for (const child of [server, responder]) await killChild(child);
      await dir[Symbol.asyncDispose]();
    },
  };
};
