import Type, { type Static } from 'typebox';
import { ERRORS, isErrorCode } from './error-table.js';
import type { Fault } from './errors.js';

/** A record that an outcome causes: a copy on its subject, word for word as in the result. */
export const OutSchema = Type.Object({
  subject: Type.String(),
  id: Type.String({ pattern: '^[1-9][0-9]*/[1-9][0-9]*$' }),
  data: Type.Unknown(),
});
export type Out = Static<typeof OutSchema>;

/** A code of the table in errors.ts, or a code of the module's domain. */
export const CODE_PATTERN = '^[A-Z][A-Z0-9_]{0,63}$';

/** The schema of the error of a result: code, message, path, and whether a retry may help. */
export const ResultErrorSchema = Type.Object({
  code: Type.String({ pattern: CODE_PATTERN }),
  message: Type.String(),
  path: Type.Optional(Type.String()),
  retryable: Type.Boolean(),
  retryAfterMs: Type.Optional(
    Type.Integer({ minimum: 0, description: 'Milliseconds until another try may help.' }),
  ),
  attempts: Type.Optional(
    Type.Integer({ minimum: 1, description: 'Number of tries; absent if there was none.' }),
  ),
  dead: Type.Optional(
    Type.Boolean({ description: 'true: the command is a dead letter and can be redriven.' }),
  ),
});
/** The error of a result. */
export type ResultError = Static<typeof ResultErrorSchema>;

export const OkSchema = Type.Object({
  status: Type.Literal('ok'),
  data: Type.Unknown(),
  out: Type.Optional(Type.Array(OutSchema)),
});

export const RefusalSchema = Type.Object({
  status: Type.Enum(['rejected', 'failed', 'expired']),
  error: ResultErrorSchema,
});

/** The body of a `res` record. A caller gets it without `out`. */
export const ResultSchema = Type.Union([OkSchema, RefusalSchema]);

/** A result that is ok, with its data. */
export interface Ok {
  readonly status: 'ok';
  readonly data: unknown;
  readonly out?: readonly Out[];
}
/** A result that is not ok: rejected, failed or expired. */
export interface Refusal {
  readonly status: 'rejected' | 'failed' | 'expired';
  readonly error: ResultError;
}
/** The result of a command: ok with data, or not ok with an error. */
export type Result = Ok | Refusal;

/** The result of a command that failed with a fault of the table. */
export const refusal = (fault: Fault): Refusal => ({
  status: ERRORS[fault.code].status,
  error: fault,
});

/** The part of a result that a caller may see: all but `out`. */
export const forCaller = (result: Result): Result =>
  result.status === 'ok' ? { status: 'ok', data: result.data } : result;

/** `Nats-Service-Error-Code` of a refusal: from the table, or 422 for a rejection of the domain. */
export const serviceCode = ({ status, error }: Refusal): number =>
  isErrorCode(error.code) ? ERRORS[error.code].service : status === 'rejected' ? 422 : 500;
