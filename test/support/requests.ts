import assert from 'node:assert/strict';
import type { Result } from '../../schemas/result.js';
import { natsCli } from './nats-cli.js';

export interface Headers {
  readonly [name: string]: string;
}

/** A request as the stock `nats` command line makes it, and what it shows of the reply. */
export interface NatsReply {
  readonly body: string;
  readonly headers: Headers;
}

const flags = (headers: Headers): readonly string[] =>
  Object.entries(headers).flatMap(([name, value]) => ['--header', `${name}:${value}`]);

/** `nats req`: the payload goes over standard input, so that its size and its braces do not matter. */
export const natsRequest = async (
  url: string,
  subject: string,
  payload: string,
  headers: Headers = {},
): Promise<NatsReply> => {
  const { code, stdout, stderr } = await natsCli(
    ['req', subject, '--force-stdin', '--no-templates', '--timeout', '40s', ...flags(headers)],
    { url, input: payload, timeoutMs: 60_000 },
  );
  assert.equal(code, 0, stderr);
  // Headers are shown as log lines: `15:04:05 Name: value`.
  const shown = [...stderr.matchAll(/^\d\d:\d\d:\d\d ([A-Za-z-]+): (.*)$/gm)];
  return {
    body: stdout.trim(),
    headers: Object.fromEntries(shown.map(([, name = '', value = '']) => [name, value])),
  };
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
