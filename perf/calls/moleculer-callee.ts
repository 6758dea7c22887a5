import { startProgram } from '../../system/processes/program.js';
import type { Reaper } from '../../system/processes/reaper.js';
import { startBenchServer } from '../bench/bench-server.js';
import { installNpmPackages } from '../peers/npm-packages.js';
import { BUSY, type Callee } from './callees.js';
import type { MoleculerSetting } from './moleculer-caller.js';
import type { ResponderQuestions } from './responder-main.js';

/** The newest release that runs on Node 20, and the client that it speaks to NATS with. */
const PACKAGES = { moleculer: '0.14.36', nats: '2.29.3' };

/** The folder where npm installed it. */
export const findMoleculer = (say: (line: string) => void): Promise<string> =>
  installNpmPackages('moleculer', PACKAGES, say);

/** Moleculer over a plain NATS server: a framework that stores nothing. */
export const startMoleculerCallee = async (
  folder: string,
  reaper: Reaper,
  say: (line: string) => void,
): Promise<Callee> => {
  const server = await startBenchServer('os', say);
  const setting: MoleculerSetting = { folder, url: `nats://${server.url}` };
  const main = new URL('./moleculer-service-main.js', import.meta.url);
  const service = startProgram<ResponderQuestions>(main, setting, reaper);
  const end = async (): Promise<void> => {
    await service[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  };
  try {
    const pid = server.pid();
    if (pid === undefined) throw new Error('the server has ended');
    return {
      name: 'moleculer',
      target: { via: 'moleculer', ...setting },
      pids: { server: pid, service: await service.ask('pid', null) },
      only: [1, BUSY],
      [Symbol.asyncDispose]: end,
    };
  } catch (error) {
    await end();
    throw error;
  }
};
