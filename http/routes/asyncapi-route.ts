import type { FastifyInstance } from 'fastify';
import { packageVersion } from '../../system/files/package-root.js';
import { askedAsyncApi } from '../asyncapi/asked-asyncapi.js';
import { answerWith } from '../requests/json-answer.js';
import { askBroker, asOperator } from '../requests/operator-request.js';
import type { PrincipalLinks } from '../requests/principal-links.js';

/** `GET /asyncapi.json`: the subjects of NATS. It has the manifests, so it takes the token of an operator. */
export const serveAsyncApi = (app: FastifyInstance, links: PrincipalLinks): void => {
  app.get('/asyncapi.json', (request, reply) =>
    answerWith(
      reply,
      asOperator(links, request, 'reader', (nc) =>
        askedAsyncApi((subject, body = {}) => askBroker(nc, subject, body), packageVersion()),
      ),
    ),
  );
};
