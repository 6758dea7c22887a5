import type { Result } from '../../schemas/result.js';
import type { Headers } from '../support/requests.js';

/** What a caller is told: the error's code, and where in the payload it is. */
export interface Expected {
  readonly code: string;
  readonly path?: string;
  readonly status?: Result['status'];
}

export interface Case extends Expected {
  readonly what: string;
  readonly action: string;
  /** A payload can name a file that exists. A handler that waits for that file goes on at once. */
  readonly payload: string | ((there: string) => string);
  readonly headers?: Headers;
  /** Ends the process in another way than a case before it. */
  readonly isDeep?: true;
}

export const ago = (): string => new Date(Date.now() - 1_000).toISOString();
const until = (there: string): string => JSON.stringify({ until: there });

/** One command each, to the module `faulty`, and what its caller gets. */
export const CASES: readonly Case[] = [
  { what: 'a payload that is not JSON', action: 'ok', payload: '{"add":', code: 'PAYLOAD_NOT_JSON' },
  { what: 'a payload that is not even text', action: 'ok', payload: '\u0000', code: 'PAYLOAD_NOT_JSON' },
  {
    what: 'a value that the schema refuses',
    action: 'ok',
    payload: '{"add":"1"}',
    code: 'PAYLOAD_INVALID',
    path: '/add',
  },
  {
    what: 'a property that the schema does not know',
    action: 'ok',
    payload: '{"added":1}',
    code: 'PAYLOAD_INVALID',
    path: '/added',
  },
  {
    // As a pointer it is twice as long, and a refusal that named it could not be stored.
    what: 'a property as long as a payload may be',
    action: 'ok',
    payload: JSON.stringify({ ['~'.repeat(262_000)]: 1 }),
    code: 'PAYLOAD_INVALID',
  },
  {
    what: 'a list where an object is wanted',
    action: 'ok',
    payload: '[1]',
    code: 'PAYLOAD_INVALID',
    path: '',
  },
  {
    what: 'a deadline that is past',
    action: 'ok',
    payload: '{"add":1}',
    headers: { 'Tally-Deadline': ago() },
    code: 'DEADLINE_PAST',
  },
  {
    what: 'a deadline that is no time',
    action: 'ok',
    payload: '{"add":1}',
    headers: { 'Tally-Deadline': 'tomorrow' },
    code: 'HEADER_INVALID',
  },
  { what: 'a handler that throws', action: 'throws', payload: '{}', code: 'HANDLER_THREW' },
  {
    what: 'a handler that throws more than a record holds',
    action: 'throws',
    payload: '{"bytes":2000000}',
    code: 'HANDLER_THREW',
  },
  {
    what: 'a handler that throws what is no error',
    action: 'throws_nothing',
    payload: '{}',
    code: 'HANDLER_THREW',
  },
  {
    what: 'an effectful handler that rejects',
    action: 'throws_async',
    payload: '{}',
    code: 'HANDLER_THREW',
  },
  {
    what: 'a rejection longer than a record',
    action: 'rejects_at_length',
    payload: '{}',
    code: 'LONG',
    status: 'rejected',
  },
  { what: 'a handler that never ends', action: 'hangs', payload: '{}', code: 'HANDLER_TIMEOUT' },
  {
    what: 'a result that its own schema refuses',
    action: 'bad_output',
    payload: '{}',
    code: 'OUTCOME_INVALID',
    path: '/surprise',
  },
  { what: 'an event that nobody declared', action: 'bad_event', payload: '{}', code: 'OUTCOME_INVALID' },
  { what: 'an event that cannot be folded', action: 'bad_fold', payload: '{}', code: 'HANDLER_THREW' },
  {
    what: 'an outcome larger than a record',
    action: 'huge_outcome',
    payload: '{}',
    code: 'OUTCOME_TOO_LARGE',
  },
  {
    what: 'a call of the very agent that calls',
    action: 'calls_self',
    payload: '{}',
    code: 'CALL_DEADLOCK',
    status: 'rejected',
  },
  {
    what: 'a call that the manifest does not declare',
    action: 'calls_undeclared',
    payload: '{}',
    code: 'DEPENDENCY_UNDECLARED',
    status: 'rejected',
  },
  {
    what: 'a handler that exits the process',
    action: 'exits',
    payload: '{"code":3}',
    code: 'HANDLER_CRASHED',
  },
  {
    what: 'a handler that exits the process as if all were well',
    action: 'exits',
    payload: '{"code":0}',
    code: 'HANDLER_CRASHED',
    isDeep: true,
  },
  {
    what: 'a handler that exits later',
    action: 'exits_later',
    payload: until,
    code: 'HANDLER_CRASHED',
    isDeep: true,
  },
  {
    what: 'a timer that throws',
    action: 'crashes_later',
    payload: until,
    code: 'HANDLER_CRASHED',
    isDeep: true,
  },
  {
    what: 'a rejection that nobody handles',
    action: 'rejects_later',
    payload: until,
    code: 'HANDLER_CRASHED',
  },
  {
    what: 'a handler that aborts',
    action: 'aborts_later',
    payload: until,
    code: 'HANDLER_CRASHED',
    isDeep: true,
  },
  { what: 'a handler that never returns', action: 'spins', payload: '{}', code: 'HANDLER_CRASHED' },
  {
    what: 'a fold that never returns',
    action: 'folds_for_ever',
    payload: '{}',
    code: 'HANDLER_CRASHED',
    isDeep: true,
  },
  { what: 'a handler that eats all memory', action: 'memory', payload: '{}', code: 'HANDLER_CRASHED' },
];
