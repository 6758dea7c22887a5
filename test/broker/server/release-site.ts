import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create } from 'tar';
import { archiveName } from '../../../broker/server/release.js';
import { SERVER_VERSION } from '../../../broker/server/version.js';
import { natsServerPath } from '../../support/program-paths.js';

/** The real nats-server of this run. */
export const realServer = natsServerPath;

/** The name of this machine's archive. */
export const ARCHIVE = archiveName(SERVER_VERSION, process.platform, process.arch) ?? '';

/** A directory below the temporary one that goes with the test. */
export const scratchDir = (): Disposable & { readonly path: string } => {
  const path = mkdtempSync(join(tmpdir(), 'tally-server-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
};

/** An archive as the project publishes it, of a program. */
export const archiveOf = async (program: string, dir: string): Promise<Buffer> => {
  const folder = ARCHIVE.replace('.tar.gz', '');
  await mkdir(join(dir, folder), { recursive: true });
  await copyFile(program, join(dir, folder, 'nats-server'));
  await writeFile(join(dir, folder, 'README.md'), 'not wanted');
  const file = join(dir, 'made.tar.gz');
  await create({ gzip: { level: 1 }, file, cwd: dir }, [folder]);
  return readFileSync(file);
};

export const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** Answers to the requests by the last part of their path; what is not there is 404. */
export type Site = Record<string, (response: ServerResponse) => void>;

/** A site that has the archive and its sums, in order. */
export const wholeSite = (archive: Buffer): Site => ({
  SHA256SUMS: (response) => response.end(`${'0'.repeat(64)}  other.zip\n${sha256(archive)}  ${ARCHIVE}\n`),
  [ARCHIVE]: (response) => response.setHeader('content-length', archive.length).end(archive),
});

export interface ReleaseSite extends AsyncDisposable {
  /** For TALLYSTICK_RELEASES. */
  readonly url: string;
  /** The paths that were asked for. */
  readonly asked: readonly string[];
}

/** A real HTTP server on loopback in the place of github.com; it redirects once, as that does. */
export const serveReleases = async (site: Site): Promise<ReleaseSite> => {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    if (!path.startsWith('/moved/')) return response.writeHead(302, { location: `/moved${path}` }).end();
    asked.push(path.slice('/moved'.length));
    const answer = site[path.split('/').pop() ?? ''];
    return answer === undefined ? response.writeHead(404).end() : answer(response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    asked,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
};
