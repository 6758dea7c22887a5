import { OpenConversationSchema } from '../../schemas/conversation.js';
import { DeadLetterSchema } from '../../schemas/dead.js';
import { BrokerStatusSchema, ModuleStatsSchema, ModuleStatusSchema } from '../../schemas/operate.js';
import { HistoryRecordSchema } from '../../schemas/record.js';
import { SleepingSchema } from '../../schemas/sleeping.js';
import { CertificateSchema, VerificationSchema } from '../../schemas/verification.js';
import { type ApiRequest, type OpenApiPart, type Parameter, read, seq } from './api-request.js';

const ok = (description: string, schema: OpenApiPart): ApiRequest['answer'] => ({
  status: 200,
  description,
  schema,
});
const list = (of: string, items: OpenApiPart, more: OpenApiPart = {}): OpenApiPart => ({
  type: 'object',
  required: [of],
  properties: { [of]: { type: 'array', items }, ...more },
});
const next = (type: string): OpenApiPart => ({
  next: { type: [type, 'null'], description: 'Begin of the next page; null behind the last.' },
});
const query = (description: string, schema: OpenApiPart = { type: 'string' }): Parameter => ({
  in: 'query',
  description,
  schema,
});
const place = 'a sequence, an RFC 3339 time, or a duration ago';
const whole: OpenApiPart = { type: 'integer', minimum: 1 };

const filters: ApiRequest['parameters'] = {
  module: query('Only records of one module.'),
  agent: query('Only records of one agent.'),
  sender: query('Only commands of one sender, and other records of one producer.'),
  kind: query('Only records of one kind.', {
    type: 'string',
    enum: ['cmd', 'res', 'evt', 'step', 'wake', 'cancel', 'restart', 'signal', 'epoch'],
  }),
  name: query('Only commands and results of one action, and events of one name.'),
  conversation: query('Only records of the conversation with this first record.', whole),
  from: query(`First record: ${place}.`),
};

const changed = (
  path: string,
  id: string,
  tag: string,
  summary: string,
  body: ApiRequest['body'],
  answer: ApiRequest['answer'],
): ApiRequest => ({
  method: 'post',
  path,
  id,
  tag,
  summary,
  parameters: {},
  ...(body === undefined ? {} : { body }),
  answer,
});
const object = (properties: OpenApiPart, required: readonly string[] = []): OpenApiPart => ({
  type: 'object',
  additionalProperties: false,
  required,
  properties,
});

const grant: OpenApiPart = {
  type: 'boolean',
  description:
    'Give its cage what its manifest asks for. Without it, a module that asks for more is refused.',
};
const moduleState = ok('The state of the module.', ModuleStatusSchema);
const job: OpenApiPart = {
  type: 'object',
  required: ['id', 'state', 'read', 'toSeq', 'verification', 'certificate', 'problem'],
  properties: {
    id: { type: 'string' },
    state: { enum: ['running', 'done', 'failed'] },
    read: { type: ['integer', 'null'], description: 'The last sequence that was read.' },
    toSeq: { type: ['integer', 'null'], description: 'The last sequence to read.' },
    verification: { anyOf: [VerificationSchema, { type: 'null' }] },
    certificate: { anyOf: [CertificateSchema, { type: 'null' }] },
    problem: { anyOf: [{ $ref: '#/components/schemas/Problem' }, { type: 'null' }] },
  },
};

const MODULES: readonly ApiRequest[] = [
  read(
    '/v1/status',
    'getStatus',
    'broker',
    'The state of server, log and modules.',
    ok('As `status --json`.', BrokerStatusSchema),
  ),
  read(
    '/v1/stats',
    'getStats',
    'modules',
    'Commands and calls of all modules.',
    ok('As `module stats --json`.', list('modules', ModuleStatsSchema)),
  ),
  read(
    '/v1/modules',
    'listModules',
    'modules',
    'All modules and their states.',
    ok('As `module list --json`.', list('modules', ModuleStatusSchema)),
  ),
  changed(
    '/v1/modules',
    'loadModule',
    'modules',
    'Start the module in a directory of the broker’s machine. It takes `operate admin`.',
    { description: 'Where it is.', schema: object({ dir: { type: 'string' }, grant }, ['dir']) },
    moduleState,
  ),
  read(
    '/v1/modules/{module}',
    'getModule',
    'modules',
    'The state and the manifest of one module.',
    ok('As `module info --json`.', { type: 'object' }),
  ),
  read(
    '/v1/modules/{module}/stats',
    'getModuleStats',
    'modules',
    'Commands and calls of one module.',
    ok('As `module stats --json`.', list('modules', ModuleStatsSchema)),
  ),
  changed(
    '/v1/modules/{module}/unload',
    'unloadModule',
    'modules',
    'Let a module finish what it handles, and stop it. It takes `operate admin`.',
    {
      description: 'Whether the modules that need it are unloaded first.',
      schema: object({ withDependents: { type: 'boolean' } }),
    },
    moduleState,
  ),
  changed(
    '/v1/modules/{module}/reload',
    'reloadModule',
    'modules',
    'Try the code in the directory of a module; if it is good, restart the module with it. It takes `operate admin`.',
    {
      description: 'Another directory, and how.',
      schema: object({
        dir: { type: 'string' },
        grant,
        untried: { type: 'boolean', description: 'Restart it without a trial.' },
      }),
    },
    moduleState,
  ),
];

const RECORDS: readonly ApiRequest[] = [
  read(
    '/v1/records',
    'listRecords',
    'records',
    'Records of the log in order, one page at a time.',
    ok(
      'Records as `replay history --json` has them.',
      list('records', HistoryRecordSchema, {
        ...next('integer'),
        previous: { type: ['integer', 'null'], description: 'With `last`: the `to` of the page before.' },
      }),
    ),
    {
      ...filters,
      to: query(`Last record: ${place}.`),
      limit: query('At most so many, from the first one on. The default is 100.', {
        ...whole,
        maximum: 1_000,
      }),
      last: query('At most so many, the last ones.', { ...whole, maximum: 1_000 }),
    },
  ),
  read(
    '/v1/records/stream',
    'streamRecords',
    'records',
    'Records as they come, as server-sent events. The id of each is its sequence.',
    {
      status: 200,
      description: 'One event for each record; an event `problem` before an end that is an error.',
      type: 'text/event-stream',
      schema: { type: 'string' },
    },
    {
      ...filters,
      from: query(`First record: ${place}. Without it: the next one.`),
      'Last-Event-ID': {
        in: 'header',
        description: 'The last record that you have: it goes on behind it.',
        schema: seq,
      },
    },
  ),
  read('/v1/records/{seq}', 'getRecord', 'records', 'One record.', ok('The record.', HistoryRecordSchema)),
  read(
    '/v1/records/{seq}/trace',
    'getTrace',
    'records',
    'The whole conversation of a record, as a tree of causes with times and outcomes.',
    ok('As `replay trace --json`.', { type: 'object' }),
    {
      all: query('Read to the end of the log.', { type: 'boolean' }),
      depth: query('Levels of the tree.', whole),
      limit: query('Records to show.', whole),
    },
  ),
  read(
    '/v1/conversations',
    'listConversations',
    'conversations',
    'Conversations that have commands without a result, the oldest first.',
    ok(
      'As `conversation list --json`.',
      list('conversations', OpenConversationSchema, { ...next('integer'), count: { type: 'integer' } }),
    ),
    {
      module: query('Only those with this module or sender.'),
      agent: query('Only those with this agent.'),
      after: query('The last conversation of the page before.', whole),
      limit: query('Conversations of a page. The default is 100.', { ...whole, maximum: 1_000 }),
      atLeast: query('Wait until the broker has read all records up to this sequence.', whole),
    },
  ),
  read(
    '/v1/conversations/{id}',
    'getConversation',
    'conversations',
    'One open conversation.',
    ok('As `conversation get --json`.', OpenConversationSchema),
    { atLeast: query('Wait until the broker has read all records up to this sequence.', whole) },
  ),
  read(
    '/v1/agents/{module}',
    'listAgents',
    'agents',
    'Agents of a module by name, one page at a time.',
    ok(
      'As `agent list --json`.',
      list('agents', { type: 'object' }, { ...next('string'), count: { type: 'integer' } }),
    ),
    {
      prefix: query('Only names that begin with this text.'),
      after: query('The last name of the page before.'),
      limit: query('Names of a page. The default is 100.', { ...whole, maximum: 1_000 }),
      where: query('FIELD=VALUE of the state, of a field in `index` of the manifest; repeatable.', {
        type: 'array',
        items: { type: 'string' },
      }),
      atLeast: query('Wait until the states have all results up to this sequence.', whole),
    },
  ),
  changed(
    '/v1/verifications',
    'startVerification',
    'records',
    'Prove that no record is lost, duplicated, reordered or changed: `replay verify --no-states`, as a job.',
    {
      description: 'The range; without it, the whole log.',
      schema: object({
        from: { type: 'string', description: `First record: ${place}.` },
        to: { type: 'string', description: `Last record: ${place}.` },
        certificate: {
          type: 'boolean',
          description: 'Sign what is found, with the key of the data directory.',
        },
      }),
    },
    {
      status: 202,
      description: 'It has begun.',
      headers: { Location: { description: 'The path of the job.', schema: { type: 'string' } } },
      schema: job,
    },
  ),
  read(
    '/v1/verifications/{id}',
    'getVerification',
    'records',
    'How far a verification is, and what it found.',
    ok('The job.', job),
  ),
];

const DEAD: readonly ApiRequest[] = [
  read(
    '/v1/dead',
    'listDead',
    'dead letters',
    'Dead letters, the oldest first, one page at a time.',
    ok('Letters as `dead list --json` has them.', list('letters', { type: 'object' }, next('integer'))),
    {
      module: query('Only of this module.'),
      from: query('Begin of the page.', whole),
    },
  ),
  read(
    '/v1/dead/{seq}',
    'getDead',
    'dead letters',
    'All of one dead letter.',
    ok('As `dead show --json`.', DeadLetterSchema),
  ),
  changed(
    '/v1/dead/redrive',
    'redriveDead',
    'dead letters',
    'Store the commands of dead letters again. It takes `operate keeper`.',
    {
      description: 'Which letters.',
      schema: object(
        {
          seqs: { type: 'array', items: seq, minItems: 1, maxItems: 100 },
          again: { type: 'boolean', description: 'Also letters that were redriven before.' },
        },
        ['seqs'],
      ),
    },
    ok('One answer for each letter.', list('answers', { type: 'object' })),
  ),
  read(
    '/v1/schedules',
    'listSchedules',
    'schedules',
    'Schedules, one page at a time.',
    ok(
      'Schedules as `schedule list --json` has them.',
      list('schedules', { type: 'object' }, next('integer')),
    ),
    {
      from: query('Begin of the page.', whole),
    },
  ),
  read(
    '/v1/schedules/{id}',
    'getSchedule',
    'schedules',
    'One schedule with the payload of its commands.',
    ok('As `schedule show --json`.', { type: 'object' }),
  ),
  changed(
    '/v1/schedules/{id}/cancel',
    'cancelSchedule',
    'schedules',
    'End a schedule. It takes `operate keeper`.',
    undefined,
    ok('It is ended.', { type: 'object' }),
  ),
];

const WAITS: readonly ApiRequest[] = [
  read(
    '/v1/waits',
    'listWaits',
    'waits',
    'Handlers that wait, and what they wait for; those that are due first, a page at a time.',
    ok(
      'The waits.',
      list('waits', SleepingSchema, { count: { type: 'integer', minimum: 0 }, ...next('string') }),
    ),
    {
      module: query('Only of this module.'),
      after: query('`next` of the page before.'),
      limit: query('At most so many. The default is 100.', { ...whole, maximum: 1_000 }),
    },
  ),
];

/** What operators ask: each takes a token with `operate reader`, if its text names no other role. */
export const OPERATOR_PATHS: readonly ApiRequest[] = [...MODULES, ...RECORDS, ...DEAD, ...WAITS];
