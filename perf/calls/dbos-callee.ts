import { startProgram } from '../../system/processes/program.js';
import type { Reaper } from '../../system/processes/reaper.js';
import { withChildren } from '../bench/processor-time.js';
import { LOOPBACK } from '../peers/loopback-server.js';
import { installNpmPackages } from '../peers/npm-packages.js';
import {
  findPostgres,
  POSTGRES_USER,
  type PostgresPrograms,
  startPostgres,
} from '../peers/postgres-server.js';
import { BUSY, type Callee } from './callees.js';

export interface DbosSetting {
  /** Where npm installed it. */
  readonly folder: string;
  /** Of the database. */
  readonly url: string;
}

export type DbosQuestions = {
  /** Answers when the service listens. */
  readonly start: { readonly ask: null; readonly answer: { readonly pid: number; readonly port: number } };
};

export interface DbosPrograms {
  readonly postgres: PostgresPrograms;
  readonly folder: string;
  readonly version: string;
}

/** The client of PostgreSQL is the one that DBOS uses too. */
const PACKAGES = { '@dbos-inc/dbos-sdk': '5.3.0', pg: '8.23.1' };

/** Throws where there is no PostgreSQL, or no npm. */
export const findDbos = async (say: (line: string) => void): Promise<DbosPrograms> => {
  const postgres = await findPostgres(say);
  const folder = await installNpmPackages('dbos', PACKAGES, say);
  return { postgres, folder, version: PACKAGES['@dbos-inc/dbos-sdk'] };
};

/** A service with DBOS, called by HTTP: DBOS is a library, and its workflows run where they are called. */
export const startDbosCallee = async (
  { postgres, folder }: DbosPrograms,
  reaper: Reaper,
): Promise<Callee> => {
  const server = await startPostgres(postgres, reaper);
  const url = `postgresql://${POSTGRES_USER}@${LOOPBACK}:${server.port}/postgres`;
  const main = new URL('./dbos-service-main.js', import.meta.url);
  const service = startProgram<DbosQuestions>(main, { folder, url } satisfies DbosSetting, reaper);
  const end = async (): Promise<void> => {
    for (const each of [service, server]) await each[Symbol.asyncDispose]();
  };
  try {
    const { pid, port } = await service.ask('start', null);
    return {
      name: 'dbos',
      target: { via: 'http', url: `http://${LOOPBACK}:${port}/accounts` },
      pids: { server: withChildren(server.pid), service: pid },
      only: [1, BUSY],
      [Symbol.asyncDispose]: end,
    };
  } catch (error) {
    await end();
    throw error;
  }
};
