import { type ApiRequest, type OpenApiPart, read, seq } from './api-request.js';

const count: OpenApiPart = { type: 'integer', minimum: 0 };
const time: OpenApiPart = { type: 'string', description: 'RFC 3339.' };
const object = (properties: Readonly<Record<string, OpenApiPart>>): OpenApiPart => ({
  type: 'object',
  required: Object.keys(properties),
  properties,
});
const list = (items: OpenApiPart): OpenApiPart => ({ type: 'array', items });
const ok = (description: string, schema: OpenApiPart): ApiRequest['answer'] => ({
  status: 200,
  description,
  schema,
});
const query = (description: string, schema: OpenApiPart = seq) =>
  ({ in: 'query', description, schema }) as const;

const step = object({
  seq,
  time,
  agent: { type: 'string' },
  event: { type: 'object' },
  events: list({ type: 'object' }),
  changes: list({ type: 'object' }),
  state: {},
});
const steps = ok(
  'As `replay state --step --json`, with the agent.',
  object({
    base: {
      description:
        'What the agent was before the first record; null: nothing, or the steps are of all agents.',
      anyOf: [object({ seq, time, state: {} }), { type: 'null' }],
    },
    steps: list(step),
    checked: { ...count, description: 'Records that were folded for this page.' },
    to: { ...count, description: 'The last sequence that counts.' },
    next: { type: ['integer', 'null'], description: '`from` of the next page; null behind the last.' },
  }),
);
const range: ApiRequest['parameters'] = {
  from: query('First record.'),
  to: query('Last record. Without it: the end of the log.'),
  limit: query('At most so many steps. The default is 100.', { ...seq, maximum: 1_000 }),
  where: query(
    'Only steps with which this expression of `replay state --bisect` holds. It sees sensitive values as hidden.',
    { type: 'string' },
  ),
};

/** The past of the log and of states, for operators with `operate reader`. */
export const LOG_PATHS: readonly ApiRequest[] = [
  read(
    '/v1/log/times',
    'getLogTimes',
    'records',
    'When the log had come how far, by some of its records.',
    ok(
      'The ends of the log, and records with the same distance from each other.',
      object({ firstSeq: count, lastSeq: count, places: list(object({ seq, time })) }),
    ),
    { limit: query('At most so many records. The default is 120.', { ...seq, maximum: 500 }) },
  ),
  read(
    '/v1/log/counts',
    'getLogCounts',
    'records',
    'How many commands, results and events each module had when the log had come to a record.',
    ok(
      'The counts.',
      object({
        at: seq,
        modules: list(object({ module: { type: 'string' }, commands: count, results: count, events: count })),
      }),
    ),
    { at: query('The record.') },
  ),
  read(
    '/v1/steps/{module}',
    'listModuleSteps',
    'agents',
    'The records that changed an agent of a module, with the states that they made, one page at a time.',
    steps,
    range,
  ),
  read(
    '/v1/steps/{module}/{agent}',
    'listAgentSteps',
    'agents',
    'The records that changed one agent, with the states that they made, one page at a time.',
    steps,
    range,
  ),
];
