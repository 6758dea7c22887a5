import { connect, headers as makeHeaders, type Msg, type NatsConnection } from 'nats';
import { linkedRequest } from '../../link/linked-request.js';
import { HEADER } from '../../schemas/headers.js';
import { parseSequence } from '../../schemas/identity.js';
import type { Result } from '../../schemas/result.js';
import type { Seeded } from '../support/seeded.js';
import type { Ledger } from './ledger.js';

const WORKERS = 40;
/** Those of them that place orders: more would pile up more than a module handles that is killed again and again. */
const ORDERING = 8;
/** Few agents, so that many commands of one wait for each other (I5). */
const AGENTS = 20;
const ITEMS = 5;
/**
 * A pause of up to this after each request, milliseconds. A start reads the log from the module's lowest unfinished command
 * on: what others write while a module is killed again and again must not take longer to read than it lives.
 */
const PACE_MS = 30;
/** A reply that was lost with a connection does not come: its sender goes on, and the log judges what was stored. */
const PATIENCE_MS = 3_000;

export const AGENT_NAMES = Array.from({ length: AGENTS }, (_, i) => `agent-${i}`);
const ITEM_NAMES = Array.from({ length: ITEMS }, (_, i) => `item-${i}`);

/** Says nothing about whether the record is stored. */
const UNCERTAIN: ReadonlySet<string> = new Set(['LOG_UNCERTAIN']);

interface Request {
  readonly subject: string;
  readonly data: object;
}

/** Answered yes or no by the reply: a call by its result, a command by the acknowledgement. */
const note = (ledger: Ledger, trace: string, { subject }: Request, reply: Msg): void => {
  if (subject.startsWith('cmd.')) {
    const { seq, error } = reply.json<{ seq?: number; error?: { code: string } }>();
    if (seq !== undefined) ledger.acknowledge(trace, seq);
    else if (!UNCERTAIN.has(error?.code ?? '')) ledger.refuse(trace, error?.code ?? reply.string());
    return;
  }
  const cause = parseSequence(reply.headers?.get(HEADER.cause) ?? '');
  const result = reply.json<Result>();
  const code = result.status === 'ok' ? '' : result.error.code;
  if (cause === undefined) {
    if (!UNCERTAIN.has(code)) ledger.refuse(trace, code);
    return;
  }
  ledger.acknowledge(trace, cause);
  if (code !== 'RESULT_PENDING') ledger.answer(cause, reply.string());
};

/** Gives the modules all that the load needs to succeed more often than not. */
export const prepare = async (url: string): Promise<void> => {
  const nc = await connect({ servers: url });
  const ask = (subject: string, data: object): Promise<unknown> =>
    nc.request(subject, JSON.stringify(data), { timeout: 60_000 });
  await Promise.all([
    ...AGENT_NAMES.map((agent) => ask(`call.accounts.deposit.${agent}`, { amount: 100_000 })),
    ...AGENT_NAMES.map((agent) => ask(`call.agents.spawn.${agent}`, {})),
    ...ITEM_NAMES.map((item) => ask(`call.orders.restock.${item}`, { quantity: 1_000_000 })),
  ]);
  await nc.close();
};

/**
 * Guests that send one thing after the other, whatever happens to what they talk to: transfers, which are three commands
 * each, orders, which call three modules, commands for a module that nobody has, which are refused. What becomes of each is in the ledger.
 */
export class Load {
  #stopped = false;

  private constructor(
    private readonly nc: NatsConnection,
    private readonly ledger: Ledger,
    private readonly random: Seeded,
  ) {
    for (let i = 0; i < WORKERS; i++) void this.#work(i < ORDERING);
  }

  static async start(url: string, ledger: Ledger, random: Seeded): Promise<Load> {
    const nc = await connect({
      servers: url,
      maxReconnectAttempts: -1,
      reconnectTimeWait: 20,
      waitOnFirstConnect: true,
    });
    return new Load(nc, ledger, random);
  }

  /** Sends no more; what was sent goes on in the broker. */
  stop(): void {
    this.#stopped = true;
  }

  /** Waits for no reply any more. */
  async close(): Promise<void> {
    this.#stopped = true;
    await this.nc.close();
  }

  async #work(places: boolean): Promise<void> {
    while (!this.#stopped && !this.nc.isClosed()) {
      const request = places ? this.#order() : this.#request();
      const trace = this.ledger.begin(request.subject);
      const headers = makeHeaders();
      headers.set(HEADER.trace, trace);
      try {
        const body = JSON.stringify(request.data);
        const reply = await linkedRequest(this.nc, request.subject, body, { headers, timeout: PATIENCE_MS });
        note(this.ledger, trace, request, reply);
        // A refusal comes at once: without a pause a module that is away would be asked without end.
        if ((reply.headers?.get('Nats-Service-Error') ?? '') !== '') await this.#pause(100);
        else if (!places) await this.#pause(this.random.int(0, PACE_MS));
      } catch {
        await this.#pause(100);
      }
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resume) => setTimeout(resume, ms));
  }

  #request(): Request {
    const { random } = this;
    const agent = random.pick(AGENT_NAMES);
    // Few commands that nobody waits for: a module that is killed again and again would never work them off.
    const verb = random.next() < 0.9 ? 'call' : 'cmd';
    const kind = random.next();
    if (kind < 0.5) {
      const to = random.pick(AGENT_NAMES);
      return { subject: `${verb}.accounts.transfer.${agent}`, data: { to, amount: random.int(1, 7) } };
    }
    if (kind < 0.75)
      return { subject: `${verb}.accounts.deposit.${agent}`, data: { amount: random.int(1, 9) } };
    if (kind < 0.93)
      return { subject: `${verb}.accounts.withdraw.${agent}`, data: { amount: random.int(1, 9) } };
    return { subject: `cmd.nobody.knows.${agent}`, data: {} };
  }

  #order(): Request {
    const { random } = this;
    const customer = random.pick(AGENT_NAMES);
    const order = { item: random.pick(ITEM_NAMES), quantity: 1, unitPrice: random.int(1, 5), customer };
    return { subject: `call.orders.place.order-${this.ledger.sent}`, data: order };
  }
}
