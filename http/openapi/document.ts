import { ResultErrorSchema } from '../../schemas/result.js';
import { PROBLEM_TYPE } from '../requests/http-problem.js';
import type { ApiRequest, OpenApiPart } from './api-request.js';
import { PATHS } from './paths.js';

const json = (schema: OpenApiPart): OpenApiPart => ({ 'application/json': { schema } });

/** RFC 9457, and what a result says of an error. */
const problemSchema: OpenApiPart = {
  type: 'object',
  required: ['type', 'title', 'status', 'detail', 'code', 'result', 'retryable'],
  properties: {
    type: { type: 'string', description: '`urn:tallystick:error:CODE`' },
    title: { type: 'string', description: 'The code.' },
    status: { type: 'integer', description: 'The status of the answer.' },
    detail: { type: 'string', description: 'What is wrong, for a person.' },
    result: { type: 'string', enum: ['rejected', 'failed', 'expired'] },
    code: ResultErrorSchema.properties.code,
    path: { type: 'string', description: 'A JSON pointer into the input, if that is at fault.' },
    retryable: { type: 'boolean', description: 'The same request may succeed later.' },
    retryAfterMs: ResultErrorSchema.properties.retryAfterMs,
    attempts: ResultErrorSchema.properties.attempts,
    dead: ResultErrorSchema.properties.dead,
  },
};

const parameterOf =
  (described: ApiRequest) =>
  (name: string): OpenApiPart => {
    const known = described.parameters[name];
    return {
      name,
      in: known?.in ?? 'path',
      required: known === undefined,
      ...known,
      schema: known?.schema ?? { type: 'string' },
    };
  };

const operationOf = (described: ApiRequest): OpenApiPart => ({
  operationId: described.id,
  summary: described.summary,
  tags: [described.tag],
  parameters: [...described.path.matchAll(/\{(\w+)\}/g)]
    .map(([, name]) => name as string)
    .concat(Object.keys(described.parameters))
    .map(parameterOf(described)),
  ...(described.body === undefined
    ? {}
    : {
        requestBody: { description: described.body.description, content: json(described.body.schema) },
      }),
  responses: {
    [described.answer.status]: {
      description: described.answer.description,
      ...(described.answer.headers === undefined ? {} : { headers: described.answer.headers }),
      content: { [described.answer.type ?? 'application/json']: { schema: described.answer.schema } },
    },
    default: {
      description: 'An error: its code is one of the table of errors, or of the module.',
      content: { [PROBLEM_TYPE]: { schema: { $ref: '#/components/schemas/Problem' } } },
    },
  },
});

/** The HTTP API in OpenAPI 3.1. */
export const openApiDocument = (version: string): OpenApiPart => {
  const paths: Record<string, Record<string, OpenApiPart>> = {};
  for (const described of PATHS)
    paths[described.path] = { ...paths[described.path], [described.method]: operationOf(described) };
  return {
    openapi: '3.1.0',
    info: {
      title: 'Tallystick',
      version,
      description: 'Calls, commands, results, states, records and modules of a Tallystick broker.',
      license: { name: 'Apache 2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    security: [{}, { token: [] }],
    paths,
    components: {
      schemas: { Problem: problemSchema },
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          description: 'The seed of a token file. Without it you are a guest.',
        },
      },
    },
  };
};
