import { Agent, request } from 'node:http';
import { connect } from 'nats';
import { agentAt, payloadAt } from './deposit-calls.js';

/** Where and how the caller sends its calls. */
export type CallTarget =
  | { readonly via: 'nats'; readonly url: string }
  | { readonly via: 'http'; readonly url: string };

/** Makes call number `i`; the text of the reply. */
type MakeCall = (i: number) => Promise<string>;

const TIMEOUT_MS = 30_000;

const byNats = async (url: string): Promise<MakeCall> => {
  const nc = await connect({ servers: url });
  return async (i) => {
    const subject = `call.accounts.deposit.${agentAt(i)}`;
    return (await nc.request(subject, payloadAt(i), { timeout: TIMEOUT_MS })).string();
  };
};

/** Node's client for HTTP, with connections that stay. */
const byHttp = (url: string): MakeCall => {
  const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
  const headers = { 'content-type': 'application/json' };
  return (i) =>
    new Promise((resolve, reject) => {
      const sent = request(
        `${url}/${agentAt(i)}/deposit`,
        { method: 'POST', agent, headers, timeout: TIMEOUT_MS },
        (reply) => {
          let text = '';
          reply.setEncoding('utf8');
          reply.on('data', (part: string) => {
            text += part;
          });
          reply.on('end', () => resolve(text));
          reply.on('error', reject);
        },
      );
      sent.on('error', reject);
      sent.end(payloadAt(i));
    });
};

export const openTarget = async (target: CallTarget): Promise<MakeCall> =>
  target.via === 'nats' ? byNats(target.url) : byHttp(target.url);
