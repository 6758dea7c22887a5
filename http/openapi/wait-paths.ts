import { CancelRequestSchema, CancelledSchema } from '../../schemas/cancel.js';
import { RestartedSchema, RestartRequestSchema } from '../../schemas/restart.js';
import { type ApiRequest, seq } from './api-request.js';

const ended: ApiRequest['answer'] = {
  status: 200,
  description: 'The promise is ended.',
  schema: { type: 'object', required: ['ok'], properties: { ok: { const: true } } },
};

/** What ends waits of handlers, and commands. */
export const WAIT_PATHS: readonly ApiRequest[] = [
  {
    method: 'post',
    path: '/v1/commands/{seq}/cancel',
    id: 'cancelCommand',
    tag: 'commands',
    summary:
      'Cancel a command that you sent: one that waits does not run, a handler stops at its next call or step.',
    parameters: {},
    body: { description: 'Whether its calls are cancelled too.', schema: CancelRequestSchema },
    answer: {
      status: 200,
      description: 'It is cancelled.',
      schema: {
        type: 'object',
        required: ['status', 'data'],
        properties: { status: { const: 'ok' }, data: CancelledSchema },
      },
    },
  },
  {
    method: 'post',
    path: '/v1/commands/{seq}/restart',
    id: 'restartCommand',
    tag: 'commands',
    summary:
      'Run a command again that failed or was cancelled, and keep what its handler did before an operation.',
    parameters: {},
    body: { description: 'From where its handler acts.', schema: RestartRequestSchema },
    answer: {
      status: 200,
      description: 'It is restarted.',
      schema: {
        type: 'object',
        required: ['status', 'data'],
        properties: { status: { const: 'ok' }, data: RestartedSchema },
      },
    },
  },
  {
    method: 'post',
    path: '/v1/signals/{module}/{agent}/{name}',
    id: 'sendSignal',
    tag: 'waits',
    summary: 'Send a signal to an agent, whose handler waits for it or will.',
    parameters: {},
    body: { description: 'The data of the signal.', schema: {} },
    answer: {
      status: 202,
      description: 'The signal is stored.',
      schema: { type: 'object', required: ['seq'], properties: { seq } },
    },
  },
  {
    method: 'post',
    path: '/v1/promises/{id}/resolve',
    id: 'resolvePromise',
    tag: 'waits',
    summary: 'End a promise of a handler with a value.',
    parameters: {},
    body: { description: 'The value.', schema: {} },
    answer: ended,
  },
  {
    method: 'post',
    path: '/v1/promises/{id}/reject',
    id: 'rejectPromise',
    tag: 'waits',
    summary: 'End a promise of a handler with a refusal.',
    parameters: {},
    body: { description: 'Why.', schema: { type: 'string' } },
    answer: ended,
  },
];
