import type { FastifyInstance } from 'fastify';
import { packageVersion } from '../../system/files/package-root.js';
import { openApiDocument } from '../openapi/document.js';

/** `GET /openapi.json`: the API, for people and for programs that make clients. */
export const serveOpenApi = (app: FastifyInstance): void => {
  const document = openApiDocument(packageVersion());
  app.get('/openapi.json', async () => document);
};
