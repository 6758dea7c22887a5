import { LOG_LEVELS, LogLineSchema, MAX_LINES_PAGE } from '../../schemas/log-lines.js';
import { type ApiRequest, type OpenApiPart, read, seq } from './api-request.js';

const count: OpenApiPart = { type: 'integer', minimum: 0 };
const query = (description: string, schema: OpenApiPart) => ({ in: 'query', description, schema }) as const;

const page: ApiRequest['answer'] = {
  status: 200,
  description: 'Lines as `logs --json` has them, in the order in which they were printed.',
  schema: {
    type: 'object',
    required: ['lines', 'next', 'end', 'isEnd', 'kept'],
    properties: {
      lines: { type: 'array', items: LogLineSchema },
      next: {
        type: ['integer', 'null'],
        description: 'Where to ask next: `after` or `before`, as asked; null: there are no older lines.',
      },
      end: { ...count, description: 'The number of the newest line of all.' },
      isEnd: { type: 'boolean', description: 'Whether the page reaches it.' },
      kept: {
        type: 'array',
        description: 'What the files have of each writer.',
        items: {
          type: 'object',
          required: ['module', 'gone', 'end'],
          properties: {
            module: { type: ['string', 'null'], description: 'null: the broker.' },
            gone: { ...count, description: 'So many of its oldest lines are not kept any more.' },
            end: { ...count, description: 'So many lines it has printed.' },
          },
        },
      },
    },
  },
};
const parameters: ApiRequest['parameters'] = {
  level: query('Only lines of this level, or above it.', { type: 'string', enum: [...LOG_LEVELS] }),
  since: query('Only from this time on: an RFC 3339 time, or a duration ago.', { type: 'string' }),
  after: query('The lines after this number, the oldest first. Ask again with `next` to follow.', count),
  before: query('The newest lines before this number.', seq),
  limit: query('At most so many lines. The default is 100.', { ...seq, maximum: MAX_LINES_PAGE }),
};

/** Log lines, for operators with `operate reader`. */
export const LINE_PATHS: readonly ApiRequest[] = [
  read('/v1/logs', 'getLogs', 'logs', 'Log lines of the broker and its modules.', page, parameters),
  read(
    '/v1/modules/{module}/logs',
    'getModuleLogs',
    'logs',
    'Log lines of one module, and lines of the broker about it.',
    page,
    parameters,
  ),
];
