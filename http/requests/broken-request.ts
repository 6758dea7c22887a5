import type { Socket } from 'node:net';
import type { Fault } from '../../schemas/errors.js';
import { refusal, serviceCode } from '../../schemas/result.js';
import { PROBLEM_TYPE, problemOf, refusedByHttp } from './http-problem.js';

const STATUS: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};
const REASONS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  403: 'Forbidden',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
};

/** Answers a connection that has no request, and closes it. */
const answerRaw = (socket: Socket, status: number, problem: Fault): void => {
  const body = JSON.stringify({ ...problemOf(refusal(problem)), status });
  const head = [
    `HTTP/1.1 ${status} ${REASONS[status] ?? 'Bad Request'}`,
    `Content-Type: ${PROBLEM_TYPE}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
};

/** Answers what is no request of HTTP, or one that came too slowly, and closes the connection. */
export const refuseBroken = (error: Error & { readonly code?: string }, socket: Socket): void => {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const status = STATUS[error.code ?? ''] ?? 400;
  answerRaw(socket, status, refusedByHttp(status, `this is no request of HTTP: ${error.message}`));
};

/** How long a client may take to read why its connection is refused. */
const LAST_WORD_MS = 1_000;

/** Answers a connection whose requests are not read, and closes it. */
export const refuseConnection = (socket: Socket, problem: Fault): void => {
  socket.on('error', () => undefined);
  answerRaw(socket, serviceCode(refusal(problem)), problem);
  // What it still sends is not read, and must not reset the connection before it has the answer.
  socket.resume();
  setTimeout(() => socket.destroy(), LAST_WORD_MS).unref();
};
