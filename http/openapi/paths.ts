import { type ApiRequest, type OpenApiPart, type Parameter, read, seq } from './api-request.js';
import { BURST_PATHS } from './burst-paths.js';
import { LINE_PATHS } from './line-paths.js';
import { LOG_PATHS } from './log-paths.js';
import { OPERATOR_PATHS } from './operator-paths.js';
import { WAIT_PATHS } from './wait-paths.js';

const waits: Parameter = {
  in: 'query',
  description:
    'How long to wait for the result, such as `500ms` or `30s`. The default is `30s`, and `10m` is the most.',
};
const ofCommand: ApiRequest['parameters'] = {
  'Idempotency-Key': {
    in: 'header',
    description: 'Your name for the command. Requests with the same key are one command, for 24 hours.',
    schema: { type: 'string', maxLength: 128 },
  },
  'Tally-Deadline': {
    in: 'header',
    description: 'After this time the command is not handled any more.',
    schema: { type: 'string', format: 'date-time' },
  },
  'Tally-Priority': {
    in: 'header',
    description: '`urgent`: handled before waiting commands of other agents.',
    schema: { type: 'string', enum: ['urgent', 'normal'] },
  },
};
const places: OpenApiPart = {
  'Tally-Cause': { description: 'The sequence of the command.', schema: seq },
  'Tally-Result': { description: 'The sequence of its result.', schema: seq },
};
const result: ApiRequest['answer'] = {
  status: 200,
  description: 'The result of the command.',
  headers: places,
  schema: {
    type: 'object',
    required: ['status', 'data'],
    properties: { status: { const: 'ok' }, data: { description: 'The output of the action.' } },
  },
};
const stored: ApiRequest['answer'] = {
  status: 202,
  description: 'The command is stored.',
  headers: { Location: { description: 'The path of its result.', schema: { type: 'string' } } },
  schema: { type: 'object', required: ['seq'], properties: { seq } },
};
const state: ApiRequest['answer'] = {
  status: 200,
  description: 'The state, and the record that it has.',
  schema: {
    type: 'object',
    required: ['module', 'agent', 'seq', 'time', 'schema', 'state'],
    properties: {
      module: { type: 'string' },
      agent: { type: 'string' },
      seq,
      time: { type: 'string', format: 'date-time' },
      schema: { type: 'integer', description: 'The version of the form of the state.' },
      state: {},
    },
  },
};
const status = (is: string, description: string): ApiRequest['answer'] => ({
  status: 200,
  description,
  schema: { type: 'object', required: ['status'], properties: { status: { const: is } } },
});

const page: ApiRequest['answer'] = {
  status: 200,
  description: 'The file.',
  type: 'text/html',
  schema: { type: 'string' },
};

const called = (path: string, id: string, summary: string): ApiRequest => ({
  method: 'post',
  path: `/v1/calls/${path}`,
  id,
  tag: 'commands',
  summary,
  parameters: { wait: waits, ...ofCommand },
  body: { description: 'The input of the action.', schema: {} },
  answer: result,
});
const sent = (path: string, id: string, summary: string): ApiRequest => ({
  ...called(path, id, summary),
  path: `/v1/commands/${path}`,
  parameters: ofCommand,
  answer: stored,
});
export const PATHS: readonly ApiRequest[] = [
  called('{module}/{action}/{agent}', 'callAgent', 'Call an action of an agent, and wait for the result.'),
  called('{module}/{action}', 'callModule', 'The same, for an action without an agent.'),
  sent(
    '{module}/{action}/{agent}',
    'sendToAgent',
    'Store a command for an agent, and do not wait for its result.',
  ),
  sent('{module}/{action}', 'sendToModule', 'The same, for an action without an agent.'),
  read(
    '/v1/results/{seq}',
    'getResult',
    'commands',
    'Wait for the result of a command that was sent before.',
    result,
    {
      wait: waits,
    },
  ),
  read(
    '/v1/agents/{module}/{agent}',
    'getAgent',
    'agents',
    'Read the state of an agent. It stores nothing.',
    state,
    {
      atLeast: {
        in: 'query',
        description: 'The state must have all results up to this sequence.',
        schema: seq,
      },
      at: {
        in: 'query',
        description: 'The state as it was at a sequence, at a time, or a duration ago; for operators.',
      },
    },
  ),
  read('/healthz', 'getHealth', 'health', 'Whether HTTP is served.', status('ok', 'HTTP is served.')),
  read(
    '/readyz',
    'getReady',
    'health',
    'Whether the broker answers.',
    status('ready', 'The broker answers.'),
  ),
  read('/metrics', 'getMetrics', 'health', 'Metrics for Prometheus, for operators.', {
    status: 200,
    description: 'The metrics.',
    type: 'text/plain',
    schema: { type: 'string' },
  }),
  read('/openapi.json', 'getOpenApi', 'health', 'This document.', {
    status: 200,
    description: 'OpenAPI 3.1.',
    schema: { type: 'object' },
  }),
  read(
    '/asyncapi.json',
    'getAsyncApi',
    'health',
    'The subjects of NATS as the loaded modules declare them, for operators.',
    { status: 200, description: 'AsyncAPI 3.0.', schema: { type: 'object' } },
  ),
  read('/', 'getDashboard', 'pages', 'The dashboard, for a browser.', page),
  read('/docs', 'getDocs', 'pages', 'This API, for people.', page),
  read('/assets/{file}', 'getAsset', 'pages', 'Scripts and styles of the pages.', {
    ...page,
    type: '*/*',
  }),
  ...WAIT_PATHS,
  ...OPERATOR_PATHS,
  ...LOG_PATHS,
  ...LINE_PATHS,
  ...BURST_PATHS,
];
