import { BurstRequestSchema } from '../../schemas/burst.js';
import { type ApiRequest, type OpenApiPart, read } from './api-request.js';

const count: OpenApiPart = { type: 'integer', minimum: 0 };
const state: OpenApiPart = { enum: ['running', 'done', 'failed', 'cancelled'] };
const moment: OpenApiPart = {
  type: 'object',
  required: ['atMs', 'offered', 'acked', 'delivered', 'backlog', 'p99Ms'],
  properties: {
    atMs: { type: 'number', description: 'Milliseconds since the load began.' },
    offered: count,
    acked: count,
    delivered: count,
    backlog: { ...count, description: 'Records that are due and not delivered.' },
    p99Ms: { type: ['number', 'null'], description: 'From due to acknowledged.' },
  },
};
const job: OpenApiPart = {
  type: 'object',
  required: ['id', 'state', 'request', 'stage', 'moments', 'faults', 'report', 'picture', 'problem'],
  properties: {
    id: { type: 'string' },
    state,
    request: BurstRequestSchema,
    stage: { type: 'string', description: 'What it does now.' },
    moments: { type: 'array', items: moment },
    faults: { type: 'array', items: { type: 'string' }, description: 'What was killed, in words.' },
    report: {
      anyOf: [{ type: 'object', description: 'As `burst --json`.' }, { type: 'null' }],
    },
    picture: { type: ['string', 'null'], description: 'Rate, backlog and latency over time, as SVG.' },
    problem: { anyOf: [{ $ref: '#/components/schemas/Problem' }, { type: 'null' }] },
  },
};
const ok = (description: string, schema: OpenApiPart): ApiRequest['answer'] => ({
  status: 200,
  description,
  schema,
});

/** The burst-loss test, for operators with `operate admin`. */
export const BURST_PATHS: readonly ApiRequest[] = [
  read(
    '/v1/bursts',
    'listBursts',
    'bursts',
    'The burst that runs, and those that ended lately.',
    ok('The oldest first.', {
      type: 'object',
      required: ['bursts'],
      properties: {
        bursts: {
          type: 'array',
          items: {
            type: 'object',
            required: ['id', 'state', 'request'],
            properties: { id: { type: 'string' }, state, request: BurstRequestSchema },
          },
        },
      },
    }),
  ),
  {
    method: 'post',
    path: '/v1/bursts',
    id: 'startBurst',
    tag: 'bursts',
    summary:
      'Run the burst-loss test on a separate broker of this machine: `burst`, as a job. One at a time.',
    parameters: {},
    body: { description: 'What the burst is like.', schema: BurstRequestSchema },
    answer: {
      status: 202,
      description: 'It has begun.',
      headers: { Location: { description: 'The path of the job.', schema: { type: 'string' } } },
      schema: job,
    },
  },
  read(
    '/v1/bursts/{id}',
    'getBurst',
    'bursts',
    'How far a burst is, and what it came to.',
    ok('The job.', job),
  ),
  {
    method: 'post',
    path: '/v1/bursts/{id}/cancel',
    id: 'cancelBurst',
    tag: 'bursts',
    summary: 'End a burst that runs, and remove its files.',
    parameters: {},
    answer: ok('The job.', job),
  },
];
