import { connect, type NatsConnection } from 'nats';
import { agentAt, payloadAt } from './deposit-calls.js';

/** Connections that send at the same time. Each waits for the server after every command, as the command line does. */
const CONNECTIONS = 10;
const TIMEOUT_MS = 60_000;

type SendsOne = (nc: NatsConnection, subject: string, payload: string) => Promise<void>;

const publish: SendsOne = async (nc, subject, payload) => {
  nc.publish(subject, payload);
  await nc.flush();
};

const request: SendsOne = async (nc, subject, payload) => {
  const reply = await nc.request(subject, payload, { timeout: TIMEOUT_MS });
  const { seq } = reply.json<{ readonly seq?: number }>();
  if (seq === undefined) throw new Error(`a command was not stored: ${reply.string()}`);
};

/** What `nats pub` and `nats pub -J` do for each command. */
const SENDS = { pub: publish, pubJ: request } as const satisfies Readonly<Record<string, SendsOne>>;
export type CommandWay = keyof typeof SENDS;
export const COMMAND_WAYS = Object.keys(SENDS) as readonly CommandWay[];

/** Sends so many commands to all agents in turn; the time at which the first one left. */
export const sendAll = async (url: string, way: CommandWay, commands: number): Promise<number> => {
  const connections = await Promise.all(Array.from({ length: CONNECTIONS }, () => connect({ servers: url })));
  try {
    const begunAtMs = Date.now();
    let next = 0;
    const sender = async (nc: NatsConnection): Promise<void> => {
      for (let i = next++; i < commands; i = next++)
        await SENDS[way](nc, `cmd.accounts.deposit.${agentAt(i)}`, payloadAt(i));
    };
    await Promise.all(connections.map(sender));
    return begunAtMs;
  } finally {
    await Promise.all(connections.map((nc) => nc.close()));
  }
};
