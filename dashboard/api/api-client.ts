import { tokenNow } from './kept-token.js';

/** An error as the HTTP API answers with it: RFC 9457. */
export interface ApiProblem {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly retryable?: boolean;
}

/** What a request came to. */
export type Answer<T> =
  | { readonly ok: true; readonly value: T; readonly headers: Headers }
  | { readonly ok: false; readonly problem: ApiProblem };

const NO_ANSWER: ApiProblem = {
  status: 0,
  code: 'BROKER_UNREACHABLE',
  detail: 'The broker does not answer. It may be stopped, or it starts again.',
  retryable: true,
};

const headersFor = (body: string | undefined): Record<string, string> => {
  const token = tokenNow();
  return {
    ...(token === '' ? {} : { Authorization: `Bearer ${token}` }),
    ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
  };
};

const request = async <T>(
  method: 'GET' | 'POST',
  path: string,
  body: string | undefined,
  signal: AbortSignal | undefined,
): Promise<Answer<T>> => {
  try {
    const response = await fetch(path, {
      method,
      headers: headersFor(body),
      ...(body === undefined ? {} : { body }),
      ...(signal === undefined ? {} : { signal }),
    });
    const value: unknown = await response.json();
    return response.ok
      ? { ok: true, value: value as T, headers: response.headers }
      : { ok: false, problem: value as ApiProblem };
  } catch (error) {
    if (signal?.aborted === true) throw error;
    return { ok: false, problem: NO_ANSWER };
  }
};

export const get = <T>(path: string, signal?: AbortSignal): Promise<Answer<T>> =>
  request<T>('GET', path, undefined, signal);

export const post = <T>(path: string, body: string): Promise<Answer<T>> =>
  request<T>('POST', path, body, undefined);

/** A path of the API: each part is escaped, and parameters without a value are left out. */
export const pathOf = (
  parts: readonly (string | number)[],
  query: Readonly<Record<string, string | number | undefined>> = {},
): string => {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== '');
  const search = new URLSearchParams(given.map(([name, value]) => [name, String(value)]));
  const path = `/v1/${parts.map((part) => encodeURIComponent(part)).join('/')}`;
  return given.length === 0 ? path : `${path}?${search}`;
};
