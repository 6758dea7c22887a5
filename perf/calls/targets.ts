import { Agent, request } from 'node:http';
import { connect } from 'nats';
import { authenticatorOf } from '../../link/nkey.js';
import { type BullMqSetting, byBullMq } from './bullmq-caller.js';
import { agentAt, payloadAt } from './deposit-calls.js';
import { byMoleculer, type MoleculerSetting } from './moleculer-caller.js';
import { byTemporal, type TemporalSetting } from './temporal-caller.js';

/** Where and how the caller sends its calls. */
export type CallTarget =
  | {
      readonly via: 'nats';
      readonly url: string;
      /** Of the token that it has; without it a guest calls. */
      readonly seed?: string;
    }
  | { readonly via: 'http'; readonly url: string }
  | ({ readonly via: 'moleculer' } & MoleculerSetting)
  | ({ readonly via: 'bullmq' } & BullMqSetting)
  | ({ readonly via: 'temporal' } & TemporalSetting);

/** Makes call number `i`; its reply, parsed. */
type MakeCall = (i: number) => Promise<unknown>;

const TIMEOUT_MS = 30_000;

const byNats = async (url: string, seed: string | undefined): Promise<MakeCall> => {
  const nc = await connect({
    servers: url,
    ...(seed === undefined ? {} : { authenticator: authenticatorOf(seed) }),
  });
  return async (i) => {
    const subject = `call.accounts.deposit.${agentAt(i)}`;
    return (await nc.request(subject, payloadAt(i), { timeout: TIMEOUT_MS })).json();
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
          reply.on('end', () => {
            try {
              resolve(JSON.parse(text));
            } catch (error) {
              reject(error);
            }
          });
          reply.on('error', reject);
        },
      );
      sent.on('error', reject);
      sent.end(payloadAt(i));
    });
};

export const openTarget = async (target: CallTarget): Promise<MakeCall> => {
  switch (target.via) {
    case 'nats':
      return byNats(target.url, target.seed);
    case 'http':
      return byHttp(target.url);
    case 'moleculer':
      return byMoleculer(target);
    case 'bullmq':
      return byBullMq(target);
    case 'temporal':
      return byTemporal(target);
  }
};
