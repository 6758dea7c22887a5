import { headers as makeHeaders, type MsgHdrs, type NatsConnection } from 'nats';
import { type Either, left, right } from 'fp-ts/lib/Either.js';
import { neverSent } from '../../link/never-sent.js';
import { silenceOf } from '../../link/request-broker.js';
import { untilServed } from '../../link/until-served.js';
import { cancelRequestSubject } from '../../schemas/cancel.js';
import { type RestartRequest, restartRequestSubject } from '../../schemas/restart.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { HEADER } from '../../schemas/headers.js';
import type { Result } from '../../schemas/result.js';
import { askedResultSubject } from '../../schemas/result-request.js';
import type { Address } from '../../schemas/subjects.js';

export const PRIORITIES = ['normal', 'urgent'] as const;

export interface TypedCallOptions {
  /** How long to wait for the reply, milliseconds. */
  readonly timeout: number;
  readonly priority?: (typeof PRIORITIES)[number];
  readonly key?: string;
}

const pending = ({ module, agent }: Address, timeoutMs: number): Fault => {
  const whose = agent === undefined ? `--module ${module}` : `--module ${module} --agent ${agent}`;
  const look = `tallystick replay history ${whose} --from ${Math.ceil(timeoutMs / 1000) + 60}s`;
  return fault(
    'RESULT_PENDING',
    `no reply within ${timeoutMs} ms; the command may be stored, and its module may still handle it: \`${look}\``,
  );
};

const unheard = (timeoutMs: number): Fault =>
  fault(
    'LOG_UNCERTAIN',
    `no reply within ${timeoutMs} ms; the broker may have made the schedule: \`tallystick schedule list\``,
  );

export interface SentCommand {
  readonly address: Address;
  readonly subject: string;
  readonly body: Uint8Array;
  /** Present if the command is for later. */
  readonly when?: MsgHdrs;
}

/** The reply to a call, and its text: JavaScript may not be able to hold a number of it. */
export interface Replied {
  readonly result: Result;
  readonly text: string;
}

/** Sends a call, or the request for a schedule, and waits for the reply. */
export const sendCommand = async (
  nc: NatsConnection,
  { address, subject, body, when }: SentCommand,
  { timeout: timeoutMs, priority, key }: TypedCallOptions,
): Promise<Either<Fault, Replied>> => {
  const headers = when ?? makeHeaders();
  if (priority !== undefined) headers.set(HEADER.priority, priority);
  if (key !== undefined) headers.set(HEADER.key, key);
  const late = when === undefined ? pending(address, timeoutMs) : unheard(timeoutMs);
  return askForResult(nc, { subject, body, headers }, { timeoutMs, late });
};

/** Waits for the result of a command that was sent before. */
export const awaitResult = (
  nc: NatsConnection,
  command: number,
  timeoutMs: number,
): Promise<Either<Fault, Replied>> => {
  const text = `command ${command} has no result after ${timeoutMs} ms; ask again: \`tallystick result ${command}\``;
  const request = { subject: askedResultSubject(command), body: new Uint8Array(), headers: makeHeaders() };
  return askForResult(nc, request, { timeoutMs, late: fault('RESULT_PENDING', text) });
};

/** Cancels a command. */
export const askToCancel = (
  nc: NatsConnection,
  command: number,
  children: boolean,
  timeoutMs: number,
): Promise<Either<Fault, Replied>> => {
  const text = `no reply within ${timeoutMs} ms; the cancel may be stored. Cancel it again: \`tallystick cancel ${command}\``;
  const body = Buffer.from(JSON.stringify(children ? { children } : {}));
  const request = { subject: cancelRequestSubject(command), body, headers: makeHeaders() };
  return askForResult(nc, request, { timeoutMs, late: fault('LOG_UNCERTAIN', text) });
};

/** Restarts a command. */
export const askToRestart = (
  nc: NatsConnection,
  command: number,
  from: number | string,
  timeoutMs: number,
): Promise<Either<Fault, Replied>> => {
  const text = `no reply within ${timeoutMs} ms; the restart may be stored. Ask again: the same request restarts it once`;
  const body = Buffer.from(JSON.stringify({ from } satisfies RestartRequest));
  const request = { subject: restartRequestSubject(command), body, headers: makeHeaders() };
  return askForResult(nc, request, { timeoutMs, late: fault('LOG_UNCERTAIN', text) });
};

interface Request {
  readonly subject: string;
  readonly body: Uint8Array;
  readonly headers: MsgHdrs;
}

/** Sends a request whose reply is a result. `late`: what it means that there is no reply in time. */
const askForResult = async (
  nc: NatsConnection,
  { subject, body, headers }: Request,
  { timeoutMs, late }: { readonly timeoutMs: number; readonly late: Fault },
): Promise<Either<Fault, Replied>> => {
  try {
    const reply = await untilServed(() => nc.request(subject, body, { timeout: timeoutMs, headers }));
    const value = reply.json<Partial<Result> | null>();
    return typeof value?.status === 'string'
      ? right({ result: value as Result, text: reply.string() })
      : left(fault('INTERNAL', `the reply is not a result: ${reply.string().slice(0, 200)}`));
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return left(fault('INTERNAL', 'the reply is not JSON'));
    const unsent = neverSent(thrown, nc);
    if (unsent !== undefined) return left(unsent);
    switch (silenceOf(thrown)) {
      case 'timeout':
        return left(late);
      case 'no-broker':
        return left(
          fault(
            'BROKER_UNREACHABLE',
            `a NATS server answers at ${nc.getServer()}, but no broker takes calls there`,
          ),
        );
      case 'forbidden':
        return left(
          fault('SERVER_REFUSED', `${nc.getServer()} does not allow this credential to make that call`),
        );
      case 'lost':
        return left(
          fault('LOG_UNCERTAIN', 'the connection was lost during the call; the command may be stored'),
        );
    }
  }
};
