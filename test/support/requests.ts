import assert from 'node:assert/strict';
import { connect, headers as makeHeaders } from 'nats';
import type { Result } from '../../schemas/result.js';

export interface Headers {
  readonly [name: string]: string;
}

/** A reply as a guest gets it. */
export interface NatsReply {
  readonly body: string;
  readonly headers: Headers;
}

const REQUEST_MS = 40_000;

/**
 * A request of a guest on its own connection. A process of the stock `nats` command line costs five times as much; the tests of
 * documents and of the tour run that one.
 */
export const natsRequest = async (
  url: string,
  subject: string,
  payload: string,
  headers: Headers = {},
): Promise<NatsReply> => {
  const nc = await connect({ servers: url });
  try {
    const sent = makeHeaders();
    for (const [name, value] of Object.entries(headers)) sent.set(name, value);
    const reply = await nc.request(subject, payload, { timeout: REQUEST_MS, headers: sent });
    const names = reply.headers?.keys() ?? [];
    return {
      body: reply.string(),
      headers: Object.fromEntries(names.map((name) => [name, reply.headers?.get(name) ?? ''])),
    };
  } finally {
    await nc.close();
  }
};

/** Calls an action; the result and the headers of its reply. */
export const natsCall = async (
  url: string,
  address: string,
  payload: string,
  headers: Headers = {},
): Promise<{ readonly result: Result; readonly headers: Headers }> => {
  const reply = await natsRequest(url, `call.${address}`, payload, headers);
  return { result: JSON.parse(reply.body) as Result, headers: reply.headers };
};

/** Records a command; its sequence in the log, as the server's acknowledgement has it. */
export const natsCommand = async (
  url: string,
  address: string,
  payload: string,
  headers: Headers = {},
): Promise<number> => {
  const { body } = await natsRequest(url, `cmd.${address}`, payload, headers);
  const ack = JSON.parse(body) as { stream?: string; seq?: number };
  assert.equal(ack.stream, 'LOG', body);
  return ack.seq as number;
};
