import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { fault } from '../../schemas/errors.js';
import { sendFault } from '../requests/http-problem.js';

const DIR = join(import.meta.dirname, '..', '..', 'dashboard');

/** Nothing of another site, no script or style in the page, no frame around it. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  // The picture of a burst.
  "img-src 'self' blob:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

const ASSETS: readonly string[] = ['main.js', 'docs-page.js', 'page.css', 'icon.svg'];

interface PageFile {
  readonly type: string;
  readonly tag: string;
  readonly plain: Buffer;
  readonly packed: Buffer;
}

const read = (name: string): PageFile | undefined => {
  const path = join(DIR, name);
  if (!existsSync(path)) return undefined;
  const plain = readFileSync(path);
  return {
    type: TYPES[extname(name)] ?? 'application/octet-stream',
    tag: `"${createHash('sha256').update(plain).digest('hex').slice(0, 32)}"`,
    plain,
    packed: gzipSync(plain),
  };
};

/** The pages for people, from the files of the package: the dashboard at `/`, and the API at `/docs`. */
export const servePages = (app: FastifyInstance): void => {
  const known = new Map<string, PageFile>();
  const fileOf = (name: string): PageFile | undefined => {
    const file = known.get(name) ?? read(name);
    if (file !== undefined) known.set(name, file);
    return file;
  };
  const send = (request: FastifyRequest, reply: FastifyReply, name: string): FastifyReply => {
    const file = fileOf(name);
    if (file === undefined) return sendFault(reply, fault('HTTP_UNKNOWN', `there is no page ${name}`));
    void reply.headers({
      'Content-Security-Policy': POLICY,
      'X-Content-Type-Options': 'nosniff',
      'Referrer-Policy': 'no-referrer',
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cross-Origin-Resource-Policy': 'same-origin',
      'Cache-Control': 'no-cache',
      Vary: 'Accept-Encoding',
      ETag: file.tag,
    });
    if (request.headers['if-none-match'] === file.tag) return reply.code(304).send();
    const packs = /\bgzip\b/.test(request.headers['accept-encoding'] ?? '');
    if (packs) void reply.header('Content-Encoding', 'gzip');
    return reply.type(file.type).send(packs ? file.packed : file.plain);
  };
  app.get('/', async (request, reply) => send(request, reply, 'index.html'));
  app.get('/docs', async (request, reply) => send(request, reply, 'docs.html'));
  app.get('/assets/:file', async (request, reply) => {
    const { file } = request.params as { readonly file: string };
    return ASSETS.includes(file)
      ? send(request, reply, file)
      : sendFault(reply, fault('HTTP_UNKNOWN', 'there is no such file'));
  });
};
