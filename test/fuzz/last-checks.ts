import { jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from 'nats';
import { readLog } from '../../journal/read/reader.js';
import { verifyLog } from '../../replay/index.js';
import { HEADER } from '../../schemas/headers.js';
import { parseSequence } from '../../schemas/identity.js';
import { jsonOrText } from '../../schemas/json.js';
import { LOG } from '../../schemas/log.js';
import { OPS, type BrokerStatus } from '../../schemas/operate.js';
import type { Result } from '../../schemas/result.js';
import { splitSubject } from '../../schemas/subjects.js';
import type { Finding as LogFinding } from '../../schemas/verification.js';
import { success } from '../support/either.js';
import { connectOperator } from '../support/log-checks.js';
import { waitFor } from '../support/wait-for.js';
import { MALLORY } from './families/module-words.js';
import { World } from './world.js';

const SETTLE_MS = 300_000;

/** Waits until the modules that serve have handled all, and the log ends where it ended a moment before. */
const settled = async (operator: NatsConnection): Promise<BrokerStatus> => {
  let lastSeq = -1;
  return waitFor(
    'the log to settle',
    async () => {
      const now = (await operator.request(OPS.status, '{}', { timeout: 10_000 })).json<BrokerStatus>();
      const isQuiet =
        now.modules.every(({ name, lag }) => lag === 0 || name === MALLORY) && now.log.lastSeq === lastSeq;
      lastSeq = now.log.lastSeq;
      // Between two looks of a condition: quiet is that the end of the log stood still from one look to the next.
      await new Promise((resume) => setTimeout(resume, 200));
      return isQuiet && now;
    },
    SETTLE_MS,
  );
};

/** Whether a record of the module that says odd things is what a finding is about. */
const isOfMallory = async (
  operator: NatsConnection,
  { seq, producer, detail }: LogFinding,
): Promise<boolean> => {
  if (producer === MALLORY || detail.includes(`.${MALLORY}.`)) return true;
  if (detail.endsWith(`on a record of ${MALLORY}`)) return true;
  if (seq === 0) return false;
  const jsm = await jetstreamManager(operator, { checkAPI: false });
  const record = await jsm.streams.getMessage(LOG, { seq });
  const subject = splitSubject(record?.subject ?? '');
  if (subject === undefined || subject.kind === 'epoch') return false;
  return subject.module === MALLORY || (subject.kind === 'cmd' && subject.sender === MALLORY);
};

const verified = async (operator: NatsConnection): Promise<readonly string[]> => {
  const { verification } = success(await verifyLog({ nc: operator })());
  const found: string[] = [];
  for (const finding of verification.findings) {
    if (!(await isOfMallory(operator, finding))) {
      found.push(`replay verify: ${finding.kind} at ${finding.seq} (${finding.producer}): ${finding.detail}`);
    }
  }
  return found;
};

interface Money {
  /** What deposits and withdrawals of the log add up to, by agent. */
  readonly byAgent: ReadonlyMap<string, number>;
  /** Commands whose deposit the log has. */
  readonly deposited: ReadonlySet<number>;
}

const moneyOf = async (operator: NatsConnection): Promise<Money> => {
  const byAgent = new Map<string, number>();
  const deposited = new Set<number>();
  const add = (agent: string, amount: number): void => {
    byAgent.set(agent, (byAgent.get(agent) ?? 0) + amount);
  };
  // Results decide; a forged event would be no result.
  for await (const record of readLog(operator, { filters: ['res.accounts.>'] })) {
    const { subject, data } = record;
    const parts = splitSubject(subject);
    const result = jsonOrText(data) as Result;
    if (parts?.kind !== 'res' || parts.agent === undefined || result.status !== 'ok') continue;
    for (const { subject: event, data: body } of result.out ?? []) {
      const { amount } = body as { amount: number };
      if (event.startsWith('evt.accounts.deposited.')) add(parts.agent, amount);
      else if (event.startsWith('evt.accounts.withdrawn.')) add(parts.agent, -amount);
      else if (event.startsWith('evt.accounts.')) add(parts.agent, 0);
    }
    const cause = parseSequence(record.header(HEADER.cause) ?? '');
    if (parts.name === 'deposit' && cause !== undefined) deposited.add(cause);
  }
  return { byAgent, deposited };
};

const AT_A_TIME = 50;

/** All balances and what is on its way, asked of the module. */
const held = async (guest: NatsConnection, agents: readonly string[]): Promise<number> => {
  let sum = 0;
  for (let at = 0; at < agents.length; at += AT_A_TIME) {
    const answers = await Promise.all(
      agents.slice(at, at + AT_A_TIME).map(async (agent) => {
        const reply = await guest.request(`call.accounts.balance.${agent}`, '{}', { timeout: 60_000 });
        const result = reply.json<Result>();
        if (result.status !== 'ok') throw new Error(`the balance of ${agent} is ${JSON.stringify(result)}`);
        return result.data as { balance: number; outgoing: number };
      }),
    );
    for (const { balance, outgoing } of answers) sum += balance + outgoing;
  }
  return sum;
};

const moneyIsThere = async (
  operator: NatsConnection,
  guest: NatsConnection,
  answered: ReadonlySet<number>,
): Promise<readonly string[]> => {
  const { byAgent, deposited } = await moneyOf(operator);
  const lost = [...answered].filter((seq) => !deposited.has(seq));
  const inLog = [...byAgent.values()].reduce((sum, each) => sum + each, 0);
  const all = await held(guest, [...byAgent.keys()]);
  return [
    ...(lost.length > 0 ? [`${lost.length} answered deposits are not in the log, such as ${lost[0]}`] : []),
    ...(all === inLog ? [] : [`the accounts hold ${all}, and the log has deposits of ${inLog}`]),
  ];
};

/**
 * What must hold after a run: the log is sound, all money is there, the broker stops as it should and starts again on the
 * same data, and then all money is still there. Ends the world's broker.
 */
export const lastChecks = async (
  world: World,
  answered: ReadonlySet<number>,
  withMallory: boolean,
): Promise<readonly string[]> => {
  const found: string[] = [];
  const { operator, guest } = world;
  await settled(operator);
  found.push(...(await moneyIsThere(operator, guest, answered)));
  await settled(operator);
  found.push(...(await verified(operator)));
  await world.disconnect();
  await world.broker.stop();
  await using again = await World.startBroker(world.dir, withMallory);
  const [person, keeper] = await Promise.all([
    connect({ servers: again.url }),
    connectOperator(again.dataDir),
  ]);
  try {
    await settled(keeper);
    found.push(...(await moneyIsThere(keeper, person, answered)).map((what) => `after a new start: ${what}`));
  } finally {
    await Promise.all([person.close(), keeper.close()]);
  }
  await again.stop();
  return found;
};
